import { type CoreDnsMetrics, parseCoreDnsMetrics } from '../../coredns/metrics.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Host } from '../../host/host.ts';
import { coreDnsFact, isAlive } from './coredns.ts';
import { type LiveCorefile, liveCorefileFact } from './corefile.ts';

/** Of each CoreDNS pod, by its address; `http://ADDRESS:9153/metrics`. */
export type PodMetrics = ReadonlyMap<string, MetricsOfPod>;

type MetricsOfPod =
  /** `port`: where it is not the usual 9153. */
  | { readonly kind: 'read'; readonly metrics: CoreDnsMetrics; readonly port?: number }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Asks the pods that have an address and live, all at once. */
export const coreDnsMetricsFact: Fact<PodMetrics> = {
  id: 'coredns-metrics',
  async gather({ host, get }) {
    const [{ pods }, corefile] = await Promise.all([get(coreDnsFact), get(liveCorefileFact)]);
    if (pods.kind !== 'known') return new Map();
    const found = pods.value.filter(isAlive).flatMap(({ address }) => address ?? []);
    const addresses = [...new Set(found)].filter(isAddress).slice(0, mostPods);
    const port = metricsPort(corefile);
    return new Map(
      await Promise.all(
        addresses.map(async (address) => [address, await read(host, address, port)] as const),
      ),
    );
  },
};

async function read(host: Host, address: string, port: number): Promise<MetricsOfPod> {
  const name = address.includes(':') ? `[${address}]` : address;
  const answer = await host.httpGet(`http://${name}:${port}/metrics`, 3_000);
  if (answer.kind === 'unavailable') return answer;
  const metrics = parseCoreDnsMetrics(answer.body);
  return { kind: 'read', metrics, ...(port !== usualPort && { port }) };
}

/** Far more than anybody runs. */
const mostPods = 50;

/** What is put into a URL is nothing but an address. */
function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || /^(?=.*:)[\da-fA-F:.]+$/.test(text);
}

const usualPort = 9153;

/** `prometheus [ADDRESS:PORT]`; the usual one, too, where it cannot be told. */
function metricsPort(corefile: LiveCorefile): number {
  if (corefile.kind !== 'read') return usualPort;
  const words = corefile.corefile.blocks
    .flatMap(({ directives }) => directives)
    .filter(({ name }) => name === 'prometheus')
    .flatMap(({ args }) => args[0]?.text ?? []);
  const port = Number(/:(\d{1,5})$/.exec(words[0] ?? '')?.[1]);
  return port >= 1 && port <= 65_535 ? port : usualPort;
}
