import { configure } from '../ghosts/run-doctor.ts';
import type { OverlayNode } from '../overlay/settle-node.ts';
import { type Overlay, startDebianOverlay } from '../overlay/start-overlay.ts';
import type { Debian } from '../systemd/boot-debian.ts';
import type { Image } from '../systemd/prepare-image.ts';
import { serveSsh } from './watch-ssh.ts';

export type Walled = OverlayNode<Debian>;

/** Two nodes whose first one has something that listens on port 22. */
export async function startGuardedOverlay(
  image: Image,
  options: { readonly isDualStack?: boolean } = {},
): Promise<Overlay<Debian>> {
  await using stack = new AsyncDisposableStack();
  const overlay = stack.use(await startDebianOverlay(image, options));
  stack.use(await serveSsh(overlay.first));
  const owned = stack.move();
  const stop = () => owned.disposeAsync();
  return { ...overlay, stop, [Symbol.asyncDispose]: stop };
}

/**
 * Two nodes whose first one has UFW: it denies what comes in, but for SSH and what somebody else has
 * allowed, and lets pods' packets through. So it is the overlay's own packets alone that it stops.
 */
export async function startWalledOverlay(
  image: Image,
  options: { readonly isDualStack?: boolean } = {},
): Promise<Overlay<Debian>> {
  const overlay = await startGuardedOverlay(image, options);
  for (const words of [...foreignRules, '--force enable']) await ufw(overlay.first, words);
  return overlay;
}

const foreignRules = [
  'allow 22/tcp comment ssh',
  'route allow to 10.42.0.0/16',
  'route allow to fd00:42::/56',
  'allow proto tcp from 192.0.2.0/24 to any port 9100 comment prometheus',
  'deny proto udp from 198.51.100.7 to any port 8472',
];

export function ufw(node: Walled, words: string): Promise<string> {
  return node.run(['ufw', ...words.split(' ')]);
}

/** Everything that UFW keeps, but for our own rules in its two files of rules. */
export async function foreignFiles(node: Walled): Promise<string> {
  const list = await node.run(['sh', '-ec', 'find /etc/ufw /etc/default/ufw -type f | sort']);
  const files = await Promise.all(
    list
      .trimEnd()
      .split('\n')
      .map(async (path) => `${path}\n${withoutOurs(await node.readFile(path))}`),
  );
  return files.join('\n');
}

/** A tuple with our comment, and the line for iptables that follows it. */
function withoutOurs(text: string): string {
  const comment = Buffer.from('k3s-doctor').toString('hex');
  return text.replaceAll(new RegExp(`^### tuple ### .* comment=${comment}.*\\n(?:-A .*\\n)+\\n`, 'gm'), '');
}

/** Whether a pod of the second node gets an answer from a pod of the first. */
export async function reaches({ first, second }: Overlay<Debian>, isIpv6 = false): Promise<boolean> {
  const address = first.pod.addresses[isIpv6 ? 1 : 0] ?? '';
  return (await second.pod.http(address, 8080, { timeoutMs: 500 })).ok;
}

/** Settings of the check, beside what the node needs anyway. */
export function configureOverlay(node: Walled, settings: Readonly<Record<string, unknown>>): Promise<void> {
  return configure(node, {
    commands: { crictl: node.crictl },
    checks: { 'ufw-overlay': settings },
  });
}
