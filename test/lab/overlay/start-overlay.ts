/**
 * Two nodes of one cluster on the real kernel, joined by a VXLAN overlay as Flannel makes it, with a
 * pod each, what k3s leaves on a node's disk, and an API that knows both. No firewall rules at all.
 *
 * Node 1 is 192.168.60.11 with pod 10.42.1.5, node 2 is 192.168.60.12 with pod 10.42.2.5. Dual-stack:
 * fd00:60::11, fd00:42:0:1::5 and so on, too.
 */
import { type LabNode, startNode } from '../node/start-node.ts';
import { type BootOptions, bootDebian, type Debian } from '../systemd/boot-debian.ts';
import type { Image } from '../systemd/prepare-image.ts';
import { joinOverlay } from './join-overlay.ts';
import { specOf } from './overlay-member.ts';
import { type OverlayNode, settleNode } from './settle-node.ts';

export interface Overlay<N extends LabNode> extends AsyncDisposable {
  readonly first: OverlayNode<N>;
  readonly second: OverlayNode<LabNode>;
  stop(): Promise<void>;
}

interface OverlayOptions {
  /** Default false: IPv4 alone. */
  readonly isDualStack?: boolean;
}

/** Both nodes are plain ones. Some 0.5 s. */
export function startOverlay(options: OverlayOptions = {}): Promise<Overlay<LabNode>> {
  return start(options, async (node) => node);
}

/** The first node is a Debian with systemd, UFW and the installed product; the second is a plain one. */
export function startDebianOverlay(
  image: Image,
  options: OverlayOptions & BootOptions = {},
): Promise<Overlay<Debian>> {
  return start(options, (node) => bootDebian(node, image, options));
}

async function start<N extends LabNode>(
  { isDualStack = false }: OverlayOptions,
  boot: (node: LabNode) => Promise<N>,
): Promise<Overlay<N>> {
  await using stack = new AsyncDisposableStack();
  const specs = [specOf(1, isDualStack), specOf(2, isDualStack)] as const;
  const [first, second] = await Promise.all([startNode(specs[0]), startNode(specs[1])]);
  stack.use(first);
  stack.use(second);
  await joinOverlay({ ...first, ...specs[0] }, { ...second, ...specs[1] });
  const inside = stack.use(await boot(first));
  const [one, two] = await Promise.all([
    settleNode({ outside: first, inside, spec: specs[0] }, specs),
    settleNode({ outside: second, inside: second, spec: specs[1] }, specs),
  ]);
  const owned = stack.move();
  const stop = () => owned.disposeAsync();
  return { first: one, second: two, stop, [Symbol.asyncDispose]: stop };
}
