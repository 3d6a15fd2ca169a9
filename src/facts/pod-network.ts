import type { Fact, FactContext } from '../engine/fact.ts';
import type { Link } from '../netfilter/walk/reading.ts';
import { clusterNodesFact } from './cluster-nodes.ts';
import { kubeComponentsFact } from './kube-components.ts';
import { networkFact } from './network.ts';
import { networkOf } from './network-of.ts';

/** The pods' network as it is on this node: what Flannel wrote down, else what the links and the API say. */
export type PodNetwork =
  | {
      readonly kind: 'known';
      /** Of this node, e.g. `10.42.0.0/24`; at most one for each family. */
      readonly podCidrs: readonly string[];
      /** Of all nodes, e.g. `10.42.0.0/16`; at most one for each family. */
      readonly clusterCidrs: readonly string[];
      /** The pods' bridge, `cni0`. */
      readonly bridge: string;
      /** The links to the other nodes' pods that are there: `flannel.1`, `flannel-v6.1`, `flannel-wg`, ... */
      readonly overlayLinks: readonly string[];
      readonly mtu: number | undefined;
      readonly source: string;
    }
  /** Neither k3s nor a pod network is on this machine. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export const podNetworkFact: Fact<PodNetwork> = {
  id: 'pod-network',
  async gather(context) {
    const [file, { links }] = await Promise.all([
      context.host.readFile(subnetFile),
      context.get(networkFact),
    ]);
    const overlayLinks = (links ?? []).map(({ name }) => name).filter((name) => /^flannel[.-]/.test(name));
    if (file.kind === 'unreadable') {
      return { kind: 'unavailable', reason: `${subnetFile} cannot be read: ${file.reason}` };
    }
    if (file.kind === 'absent') return fromLinks(context, links, overlayLinks);
    const settings = readSettings(file.text);
    const podCidrs = networksIn(settings, ['FLANNEL_SUBNET', 'FLANNEL_IPV6_SUBNET']);
    if (podCidrs === undefined || podCidrs.length === 0) {
      return { kind: 'unavailable', reason: `${subnetFile} names no network of this node's pods` };
    }
    return {
      kind: 'known',
      podCidrs,
      clusterCidrs: networksIn(settings, ['FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK']) ?? [],
      bridge,
      overlayLinks,
      mtu: Number(settings.get('FLANNEL_MTU')) || undefined,
      source: subnetFile,
    };
  },
};

const subnetFile = '/run/flannel/subnet.env';
const bridge = 'cni0';

function readSettings(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^(FLANNEL_\w+)=(\S+)/gm);
  return new Map([...found].map(([, name = '', value = '']) => [name, value]));
}

/** Flannel writes the bridge's own address for the network that it lies in. Undefined where one is no network. */
function networksIn(
  settings: ReadonlyMap<string, string>,
  names: readonly string[],
): readonly string[] | undefined {
  const values = names.flatMap((name) => settings.get(name)?.split(',').slice(0, 1) ?? []);
  const networks = values.map(networkOf);
  return networks.every((network) => network !== undefined) ? networks : undefined;
}

/** Flannel's file is not there: not started yet since boot, or another CNI. */
async function fromLinks(
  context: FactContext,
  links: readonly Link[] | undefined,
  overlayLinks: readonly string[],
): Promise<PodNetwork> {
  const { kubelet, ciliumDevice } = await context.get(kubeComponentsFact);
  const pods = links?.find(({ name }) => name === bridge);
  // A bridge of that name alone may be podman's.
  if (overlayLinks.length === 0 && !kubelet) {
    return { kind: 'absent', reason: 'neither k3s nor its overlay is on this machine' };
  }
  if (pods === undefined && overlayLinks.length === 0) {
    if (ciliumDevice) return { kind: 'absent', reason: "the pods' network is Cilium's" };
    const why = links === undefined ? 'the links cannot be listed' : `there is no link ${bridge}`;
    return { kind: 'unavailable', reason: `there is no ${subnetFile}, and ${why}` };
  }
  const onBridge = (pods?.addresses ?? [])
    .filter(({ scope }) => scope === 'global')
    .flatMap(({ address, prefixLength }) => networkOf(`${address}/${prefixLength}`) ?? []);
  const known = { kind: 'known', clusterCidrs: [], bridge, overlayLinks, mtu: pods?.mtu } as const;
  if (onBridge.length > 0) return { ...known, podCidrs: firstOfEach(onBridge), source: `link ${bridge}` };
  const nodes = await context.get(clusterNodesFact);
  const podCidrs = nodes.kind === 'known' ? (nodes.self?.podCidrs ?? []) : [];
  if (podCidrs.length > 0) return { ...known, podCidrs: firstOfEach(podCidrs), source: 'the API' };
  const why = nodes.kind === 'unavailable' ? nodes.reason : 'the API has no pod network for this node';
  return { kind: 'unavailable', reason: `there is no ${subnetFile} and no address on ${bridge}: ${why}` };
}

function firstOfEach(networks: readonly string[]): readonly string[] {
  const byFamily = Map.groupBy(networks, (network) => network.includes(':'));
  return [false, true].flatMap((isIpv6) => byFamily.get(isIpv6)?.slice(0, 1) ?? []);
}
