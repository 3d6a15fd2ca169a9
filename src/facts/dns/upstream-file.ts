import type { CorefileFiles } from '../../coredns/forwards.ts';
import type { FactContext } from '../../engine/fact.ts';
import { clusterNodesFact } from '../cluster-nodes.ts';
import { type CoreDnsPod, coreDnsFact } from './coredns.ts';
import { localCoreDnsFact } from './local-coredns.ts';
import { parseResolvConf, type ResolvConf, readResolvConf } from './resolv-conf.ts';
import { resolversFact } from './resolvers.ts';

/** What a `forward` to a file comes to: the file is the pod's, not the node's. */
interface UpstreamFile {
  readonly confs: readonly { readonly nameservers: readonly string[]; readonly origin: string }[];
  readonly doubts: readonly string[];
}

export async function readUpstreamFile(
  context: FactContext,
  files: CorefileFiles,
  path: string,
): Promise<UpstreamFile> {
  const mounted = files.get(path);
  if (mounted !== undefined) return use(parseResolvConf(path, { kind: 'read', text: mounted }), path);
  const { processes } = await context.get(localCoreDnsFact);
  const here = await Promise.all(
    processes.map(async ({ pid, pod, resolvConf }) => {
      const origin = `${path} of ${pod === undefined ? `process ${pid}` : `pod ${pod}`}`;
      const isSeen = path === '/etc/resolv.conf';
      return use(
        isSeen ? resolvConf : await readResolvConf(context.host, `/proc/${pid}/root${path}`),
        origin,
      );
    }),
  );
  const seen = new Set(processes.map(({ pod }) => pod));
  const others = await Promise.all((await podsNot(context, seen)).map((pod) => ofPod(context, pod, path)));
  const all = [...here, ...others];
  if (all.length > 0) {
    return { confs: all.flatMap(({ confs }) => confs), doubts: all.flatMap(({ doubts }) => doubts) };
  }
  return doubt(`${path} is a file of CoreDNS' pods, and which of them run is not known`);
}

function use(conf: ResolvConf, origin: string): UpstreamFile {
  if (conf.kind === 'read') return { confs: [{ nameservers: conf.nameservers, origin }], doubts: [] };
  return doubt(`${origin} cannot be read: ${conf.kind === 'absent' ? 'it is not there' : conf.reason}`);
}

function doubt(line: string): UpstreamFile {
  return { confs: [], doubts: [line] };
}

/** Those that run, or are about to, and whose process was not found here. */
async function podsNot(
  context: FactContext,
  seen: ReadonlySet<string | undefined>,
): Promise<readonly CoreDnsPod[]> {
  const { pods } = await context.get(coreDnsFact);
  if (pods.kind !== 'known') return [];
  return pods.value.filter(
    ({ name, isEnding, phase }) =>
      !isEnding && !seen.has(name) && (phase === 'Running' || phase === 'Pending'),
  );
}

async function ofPod(context: FactContext, pod: CoreDnsPod, path: string): Promise<UpstreamFile> {
  if (pod.node === undefined) return doubt(`${path} of pod ${pod.name} is not there yet: it has no node`);
  const nodes = await context.get(clusterNodesFact);
  const self = nodes.kind === 'known' ? nodes.self?.name : undefined;
  if (pod.node !== self) {
    return doubt(`what ${path} of pod ${pod.name} says is known on node ${pod.node} alone`);
  }
  // Its process is hidden from us: then what kubelet gives to such pods has to do.
  const { kubelet } = await context.get(resolversFact);
  if (path !== '/etc/resolv.conf') return doubt(`${path} of pod ${pod.name} cannot be seen from here`);
  if (kubelet.kind === 'unknown') {
    return doubt(`what kubelet gives to pod ${pod.name} as ${path} is not known: ${kubelet.reason}`);
  }
  return use(kubelet.conf, kubelet.conf.path);
}
