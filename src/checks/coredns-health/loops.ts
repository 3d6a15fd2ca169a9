import type { Forward } from '../../coredns/forwards.ts';
import type { Evidence, Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import { isLoopback } from '../../facts/dns/resolv-conf.ts';
import { effectNow, type Judge, podsOf, problem, type Seen, signsOf } from './seen.ts';

const todo =
  'name servers that are not CoreDNS itself: "doctor check dns-forwarders host-dns" says which ones answer, and what k3s takes from this host';

/** Whether what CoreDNS asks is CoreDNS: its plugin `loop` then halts it, time and again. */
export const judgeLoops: Judge = (seen) => {
  const byZone = new Map<string, Loop[]>();
  const inCorefile = configured(seen);
  for (const loop of [...halted(seen, inCorefile), ...inCorefile]) {
    byZone.set(loop.zone, [...(byZone.get(loop.zone) ?? []), loop]);
  }
  return [...byZone].map(([zone, loops]) => loopOf(zone, loops, seen));
};

interface Loop {
  readonly zone: string;
  /** `127.0.0.53 (Corefile, line 12)`; undefined where CoreDNS itself has said so. */
  readonly server: string | undefined;
  readonly isChecked: boolean;
  readonly evidence: Evidence;
}

/** In CoreDNS' own words. Where it runs, and all that it asks now is known, that was before. */
function halted(seen: Seen, inCorefile: readonly Loop[]): readonly Loop[] {
  const { upstreams } = seen;
  const isAllKnown = upstreams.kind === 'known' && upstreams.doubts.length === 0;
  return podsOf(seen).flatMap((pod): readonly Loop[] => {
    const said = signsOf(seen, pod)?.loop;
    if (said === undefined) return [];
    const zone = oneLine(/for zone "([^"]+?)\.?"/.exec(said)?.[1] ?? '.');
    if (pod.ready && isAllKnown && !inCorefile.some((loop) => loop.zone === zone)) return [];
    const evidence = { source: `log of pod ${pod.name}`, observed: oneLine(said, 300) };
    return [{ zone, server: undefined, isChecked: true, evidence }];
  });
}

/** In the Corefile: loopback, which is the pod itself, the Service's address, or a pod's. */
function configured(seen: Seen): readonly Loop[] {
  const { corefile } = seen;
  if (corefile.kind !== 'read') return [];
  const own = ownAddresses(seen);
  return corefile.forwards
    .filter(({ isShadowed, block }) => !isShadowed && !block.directives.some(({ name }) => name === 'bind'))
    .flatMap((forward) =>
      serversOf(forward, seen).flatMap(({ server, port, origin }): readonly Loop[] => {
        const self = isLoopback(server) ? loopbackWords(seen) : own.get(server);
        if (self === undefined || !portsOf(forward.block.keys).includes(port)) return [];
        const zone = zoneOf(forward);
        return [
          {
            zone,
            server: `${oneLine(server)} (${oneLine(origin)})`,
            isChecked: forward.block.directives.some(({ name }) => name === 'loop'),
            evidence: {
              source: oneLine(origin),
              observed: `forwards ${zone} to ${oneLine(server)}, ${self}`,
            },
          },
        ];
      }),
    );
}

/** Those of a file are the ones whose origin is not a line of the configuration. */
function serversOf({ from, upstreams, file, directive }: Forward, seen: Seen) {
  const place = `${file ?? 'Corefile'}, line ${directive.line}`;
  const written = upstreams.flatMap((upstream) =>
    upstream.kind === 'address' && upstream.protocol === 'dns'
      ? [{ server: upstream.address, port: upstream.port, origin: place }]
      : [],
  );
  if (seen.upstreams.kind !== 'known' || !upstreams.some(({ kind }) => kind === 'file')) return written;
  const read = seen.upstreams.upstreams.filter(
    ({ zone, origin }) => zone === from && !/, line \d+$/.test(origin),
  );
  return [...written, ...read];
}

/** A forward of everything is asked for what its block serves. */
function zoneOf({ from, block }: Forward): string {
  const [key = '.'] = block.keys;
  return oneLine(
    from === '.'
      ? key
          .replace(/^dns:\/\//, '')
          .replace(/:\d+$/, '')
          .replace(/(?<=.)\.$/, '')
      : from,
  );
}

/** In the network of a node, loopback is the node: there another server may listen. */
function loopbackWords(seen: Seen): string | undefined {
  const { nodes } = seen;
  const ofNodes = new Set(
    nodes.kind === 'known' ? nodes.nodes.flatMap((node) => node.internalAddresses) : [],
  );
  const pods = podsOf(seen).filter(({ address }) => address !== undefined);
  if (pods.length === 0 || pods.some(({ address }) => ofNodes.has(address ?? ''))) return undefined;
  return 'which is the pod of CoreDNS itself';
}

function ownAddresses(seen: Seen): ReadonlyMap<string, string> {
  const { service } = seen.coreDns;
  const services = service.kind === 'known' ? service.value : [];
  return new Map([
    ...podsOf(seen).flatMap(({ name, address }) =>
      address === undefined ? [] : [[address, `which is pod ${name} of CoreDNS`] as const],
    ),
    ...services.map((address) => [address, 'which is the address of CoreDNS in the cluster'] as const),
  ]);
}

/** At which plain questions are answered. */
function portsOf(keys: readonly string[]): readonly number[] {
  return keys
    .filter((key) => !key.includes('://') || key.startsWith('dns://'))
    .map((key) => Number(/:(\d+)$/.exec(key)?.[1] ?? 53));
}

function loopOf(zone: string, loops: readonly Loop[], seen: Seen): Finding {
  const servers = [...new Set(loops.flatMap(({ server }) => server ?? []))];
  const hasHalted = loops.some(({ server }) => server === undefined);
  const isChecked = loops.some((loop) => loop.isChecked);
  const effect = effectNow(seen);
  const to = servers.length > 0 ? `: ${servers.join(', ')}` : '';
  const end = hasHalted
    ? 'its plugin loop halts it, and it starts over and over'
    : isChecked && effect === 'dormant'
      ? 'its plugin loop halts it when it starts with this'
      : 'each question goes round until it is given up';
  return problem(
    {
      code: 'coredns-loop',
      subject: `zone ${zone}`,
      severity: 'error',
      message: `CoreDNS forwards ${zone === '.' ? 'what it does not know' : `zone ${zone}`} to itself${to} · ${end}`,
      effect: hasHalted || !isChecked ? 'loses' : effect,
      evidence: loops.map(({ evidence }) => evidence),
    },
    todo,
  );
}
