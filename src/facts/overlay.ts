import type { Fact, FactContext } from '../engine/fact.ts';
import type { Family } from '../netfilter/ruleset.ts';
import { type ClusterNodes, clusterNodesFact } from './cluster-nodes.ts';
import { type FoundTunnel, parseFdb, parseNeighbours, parseRouteGet, parseTunnel } from './parse-overlay.ts';
import { podNetworkFact } from './pod-network.ts';

/** This node's end of Flannel's VXLAN, as the kernel has it: one for each family that has one. */
export interface Overlay extends FoundTunnel {
  readonly family: Family;
  /** `flannel.1`, `flannel-v6.1`. */
  readonly link: string;
  /** Who is behind an inner address, by that address. Undefined: could not be listed. */
  readonly neighbours: ReadonlyMap<string, string> | undefined;
  /** Where frames for a MAC address are sent. Undefined: could not be listed. */
  readonly fdb: ReadonlyMap<string, readonly string[]> | undefined;
  /** Whether the kernel leaves checksums to the link; undefined: without ethtool nobody knows. */
  readonly checksumOffload: 'on' | 'off' | undefined;
  /** Of the link that the tunnel uses, e.g. `vmxnet3`. */
  readonly underlayDriver: string | undefined;
}

export const overlaysFact: Fact<readonly Overlay[]> = {
  id: 'overlays',
  async gather(context) {
    const network = await context.get(podNetworkFact);
    const links = network.kind === 'known' ? network.overlayLinks : [];
    const found = await Promise.all(
      links.filter((link) => /^flannel(-v6)?\.\d+$/.test(link)).map((link) => readOverlay(link, context)),
    );
    return found.filter((overlay) => overlay !== undefined);
  },
};

async function readOverlay(link: string, context: FactContext): Promise<Overlay | undefined> {
  const [about, neighbours, fdb, offload] = await Promise.all([
    output(context, 'ip', ['-j', '-d', 'link', 'show', 'dev', link]),
    output(context, 'ip', ['-j', 'neigh', 'show', 'dev', link]),
    output(context, 'bridge', ['-j', 'fdb', 'show', 'dev', link]),
    output(context, 'ethtool', ['-k', link]),
  ]);
  const tunnel = about === undefined ? undefined : parseTunnel(about);
  if (tunnel === undefined) return undefined;
  const driver =
    tunnel.underlay === undefined ? undefined : await output(context, 'ethtool', ['-i', tunnel.underlay]);
  return {
    ...tunnel,
    family: link.startsWith('flannel-v6.') ? 'ipv6' : 'ipv4',
    link,
    neighbours: neighbours === undefined ? undefined : parseNeighbours(neighbours),
    fdb: fdb === undefined ? undefined : parseFdb(fdb),
    checksumOffload: readFeature(offload, 'tx-checksum-ip-generic'),
    underlayDriver: /^driver: (\S+)/m.exec(driver ?? '')?.[1],
  };
}

/** `on [fixed]` cannot be changed, and is as good as unknown. */
function readFeature(text: string | undefined, name: string): 'on' | 'off' | undefined {
  const value = new RegExp(`^\\s*${name}: (on|off)$`, 'm').exec(text ?? '')?.[1];
  return value === 'on' || value === 'off' ? value : undefined;
}

/** What one ping to each other node's end of the overlay brought. */
export type OverlayAnswers =
  | { readonly kind: 'asked'; readonly answers: ReadonlyMap<string, OverlayAnswer> }
  | { readonly kind: 'not-asked'; readonly reason: string };

/** `small-only`: small packets get through, full ones do not. `unknown`: ping itself failed. */
export type OverlayAnswer = 'answered' | 'small-only' | 'silent' | 'unknown';

/** Pings the inner address of every other node that is ready, with small packets and with full ones. */
export const overlayAnswersFact: Fact<OverlayAnswers> = {
  id: 'overlay-answers',
  async gather(context) {
    if (!context.config.checks['flannel-vtep'].probe) {
      return { kind: 'not-asked', reason: 'checks.flannel-vtep.probe is off' };
    }
    const [nodes, overlays] = await Promise.all([context.get(clusterNodesFact), context.get(overlaysFact)]);
    const targets = overlays.flatMap((overlay) =>
      peersOf(nodes, overlay.family).map((address) => ({ overlay, address })),
    );
    const answers = new Map<string, OverlayAnswer>();
    // Some at a time: hundreds of processes at once would be the fault that is looked for.
    for (let at = 0; at < Math.min(targets.length, mostPeers); at += atOnce) {
      await Promise.all(
        targets.slice(at, at + atOnce).map(async ({ overlay, address }) => {
          answers.set(address, await ask(context, overlay, address));
        }),
      );
    }
    return { kind: 'asked', answers };
  },
};

const atOnce = 20;
const mostPeers = 200;

function peersOf(nodes: ClusterNodes, family: Family): readonly string[] {
  if (nodes.kind !== 'known') return [];
  return nodes.nodes
    .filter(({ name, ready }) => ready && name !== nodes.self?.name)
    .flatMap(({ podCidrs }) => podCidrs)
    .filter((cidr) => cidr.includes(':') === (family === 'ipv6'))
    .map(innerAddress);
}

/** Flannel gives its link the first address of the node's pod network. */
export function innerAddress(podCidr: string): string {
  return podCidr.slice(0, podCidr.indexOf('/'));
}

async function ask(
  context: FactContext,
  { link, mtu, family }: Overlay,
  address: string,
): Promise<OverlayAnswer> {
  const header = family === 'ipv6' ? 48 : 28;
  const [small, full] = await Promise.all([
    ping(context, link, address, 56),
    ping(context, link, address, mtu - header),
  ]);
  if (small === undefined || full === undefined) return 'unknown';
  if (full) return 'answered';
  return small ? 'small-only' : 'silent';
}

/** Three packets in less than a second, none of them to be cut into pieces. */
async function ping(
  { host }: FactContext,
  link: string,
  address: string,
  bytes: number,
): Promise<boolean | undefined> {
  const args = ['-n', '-q', '-c', '3', '-i', '0.3', '-W', '1', '-M', 'do', '-s', String(bytes), '-I', link];
  const result = await host.run({ tool: 'ping', args: [...args, address], timeoutMs: 5_000 });
  if (result.kind !== 'exited' || result.exitCode > 1) return undefined;
  return result.exitCode === 0;
}

async function output(
  { host, config }: FactContext,
  tool: 'ip' | 'bridge' | 'ethtool',
  args: readonly string[],
): Promise<string | undefined> {
  const result = await host.run({ tool, args, timeoutMs: config.commandTimeoutMs });
  return result.kind === 'exited' && result.exitCode === 0 ? result.stdout : undefined;
}

/** How this node would send to another node's tunnel address, by that address. */
export interface TunnelRoute {
  readonly link: string;
  /** Undefined: the other end is on the link itself. */
  readonly gateway: string | undefined;
}

/** Null: there is no route. An address that is not in it could not be asked about. */
export const tunnelRoutesFact: Fact<ReadonlyMap<string, TunnelRoute | null>> = {
  id: 'tunnel-routes',
  async gather(context) {
    const nodes = await context.get(clusterNodesFact);
    const addresses =
      nodes.kind === 'known' ? nodes.nodes.filter(({ name }) => name !== nodes.self?.name) : [];
    const wanted = addresses.flatMap(({ flannel }) => [flannel.publicIp, flannel.publicIpv6]);
    const routes = new Map<string, TunnelRoute | null>();
    const targets = [...new Set(wanted.filter((address) => address !== undefined))].slice(0, mostPeers);
    for (let at = 0; at < targets.length; at += atOnce) {
      await Promise.all(
        targets.slice(at, at + atOnce).map(async (address) => {
          const route = await routeTo(context, address);
          if (route !== undefined) routes.set(address, route);
        }),
      );
    }
    return routes;
  },
};

async function routeTo(
  { host, config }: FactContext,
  address: string,
): Promise<TunnelRoute | null | undefined> {
  // What stands in an annotation is anybody's text.
  if (!/^[0-9a-fA-F.:]+$/.test(address)) return undefined;
  const args = ['-j', 'route', 'get', address];
  const result = await host.run({ tool: 'ip', args, timeoutMs: config.commandTimeoutMs });
  if (result.kind !== 'exited') return undefined;
  if (result.exitCode === 2 && /unreachable|No route/i.test(result.stderr)) return null;
  return result.exitCode === 0 ? parseRouteGet(result.stdout) : undefined;
}
