/** UFW's own files, written by UFW. */
import { expect, it } from 'vitest';
import { type LabNode, startNode } from '../node/start-node.ts';
import { factsOf } from './facts-of.ts';

it('what ufw was told is what its files are understood to say, live and replayed', async () => {
  await using node = await startNode();
  expect((await factsOf(node)).live.ufw).toEqual({ kind: 'inactive' });
  await tell(node, ['--force', 'enable']);
  await tell(node, ['default', 'reject', 'routed']);
  await tell(node, [
    'allow',
    'from',
    '10.0.0.2',
    'to',
    'any',
    'port',
    '8472',
    'proto',
    'udp',
    'comment',
    'peer “b”',
  ]);
  await tell(node, ['allow', 'proto', 'esp', 'from', 'fd00::2']);
  await tell(node, ['limit', 'log', '22/tcp']);
  await tell(node, ['route', 'allow', 'in', 'on', 'cni0', 'out', 'on', 'flannel.1', 'from', '10.42.0.0/16']);
  await tell(node, ['route', 'deny', 'out', 'on', 'eth0', 'to', '192.0.2.9', 'port', '25', 'proto', 'tcp']);

  const { live, replayed } = await factsOf(node);

  const any = { protocol: 'any', destinationPort: 'any', sourcePort: 'any', comment: '' };
  const ipv4 = { ...any, family: 'ipv4', destination: '0.0.0.0/0', source: '0.0.0.0/0' };
  const ipv6 = { ...any, family: 'ipv6', destination: '::/0', source: '::/0' };
  const into = { route: false, action: 'allow', direction: 'in' };
  const routed = { ...into, route: true };
  expect(live.ufw).toEqual({
    kind: 'active',
    defaults: { incoming: 'deny', outgoing: 'allow', routed: 'reject' },
    ipv6: true,
    rules: [
      { ...ipv4, ...into, protocol: 'udp', destinationPort: '8472', source: '10.0.0.2', comment: 'peer “b”' },
      { ...ipv4, ...into, action: 'limit', protocol: 'tcp', destinationPort: '22' },
      { ...ipv4, ...routed, source: '10.42.0.0/16', inLink: 'cni0', outLink: 'flannel.1' },
      {
        ...ipv4,
        ...routed,
        action: 'deny',
        direction: 'out',
        protocol: 'tcp',
        destinationPort: '25',
        destination: '192.0.2.9',
        outLink: 'eth0',
      },
      { ...ipv6, ...into, protocol: 'esp', source: 'fd00::2' },
      { ...ipv6, ...into, action: 'limit', protocol: 'tcp', destinationPort: '22' },
    ],
  });
  expect(replayed.ufw).toEqual(live.ufw);
  await tell(node, ['disable']);
  expect((await factsOf(node)).live.ufw).toEqual({ kind: 'inactive' });
});

async function tell(node: LabNode, args: readonly string[]): Promise<void> {
  await node.run(['ufw', ...args]);
}
