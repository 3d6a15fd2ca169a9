import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { createFactContext } from '../../src/engine/fact.ts';
import { sshAccessFact } from '../../src/facts/ssh-access.ts';
import { type MadeUpNode, madeUpNode } from '../engine/confirm/made-up-node.ts';

const zero = '00000000:0000';
const row = (index: number, rest: string) =>
  `   ${index}: ${rest} 00000000:00000000 00:00000000 00000000     0        0 1 1`;
const tcp = [
  '  sl  local_address rem_address   st',
  row(0, `00000000:0016 ${zero} 0A`),
  row(1, `0100007F:08AE ${zero} 0A`),
  // 192.168.60.1:22, 192.168.60.2:41000
  row(2, '013CA8C0:0016 023CA8C0:A028 01'),
  // TIME_WAIT, and a connection of this node's own to somebody's port 22
  row(3, '013CA8C0:0016 033CA8C0:A028 06'),
  row(4, '013CA8C0:A029 043CA8C0:0016 01'),
].join('\n');
const tcp6 = [
  '  sl  local_address                         remote_address                        st',
  row(0, '00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A'),
  row(1, '0000000000000000FFFF0000013CA8C0:0016 0000000000000000FFFF0000053CA8C0:D431 01'),
  row(2, '600000FD000000000000000001000000:0016 600000FD000000000000000002000000:D431 01'),
].join('\n');
const node: MadeUpNode = {
  files: [
    { path: '/proc/net/tcp', text: `${tcp}\n` },
    { path: '/proc/net/tcp6', text: `${tcp6}\n` },
    { path: '/proc/net/udp', text: '\n' },
  ],
};

describe('the SSH server', () => {
  it('is looked for at port 22, where nothing is configured', async () => {
    expect(await access(node)).toMatchObject({ ports: [22], configured: [22] });
  });

  it.each([
    ['Port 2222\nPort 22\n', [22]],
    ['#Port 2222\nListenAddress 192.0.2.1:2222\n', [22]],
    ['port=2222\n', []],
    ['Port 2222\nListenAddress [2001:db8::1]:22\n', [22]],
  ])('listens only where its configuration says: %j', async (text, ports) => {
    const files = [...(node.files ?? []), { path: '/etc/ssh/sshd_config', text }];
    expect((await access({ ...node, files })).ports).toEqual(ports);
  });

  it("is looked for at the ports of systemd's socket, too", async () => {
    const files = [
      ...(node.files ?? []),
      {
        path: '/etc/systemd/system/ssh.socket.d/listen.conf',
        text: '[Socket]\nListenStream=\nListenStream=2200\nListenStream=[::]:2201\n',
      },
    ];
    const directories = [{ path: '/etc/systemd/system/ssh.socket.d', entries: ['listen.conf'] }];
    expect((await access({ ...node, files, directories })).configured).toEqual([22, 2200, 2201]);
  });

  it('does not count where it listens on the loopback address alone', async () => {
    const files = [...(node.files ?? []), { path: '/etc/ssh/sshd_config', text: 'Port 2222\n' }];
    expect(await access({ ...node, files })).toEqual({ ports: [], configured: [2222], sessions: [] });
  });

  it('is taken to be there when the kernel does not say', async () => {
    const files = [{ path: '/proc/net/tcp', unreadable: 'permission denied' }];
    expect((await access({ files })).ports).toEqual([22]);
  });
});

it('sessions are those that are open, with the peer as the rules see it', async () => {
  expect((await access(node)).sessions).toEqual([
    { family: 'ipv4', address: '192.168.60.1', port: 22, peer: '192.168.60.2', peerPort: 41_000 },
    { family: 'ipv4', address: '192.168.60.1', port: 22, peer: '192.168.60.5', peerPort: 54_321 },
    { family: 'ipv6', address: 'fd00:60::1', port: 22, peer: 'fd00:60::2', peerPort: 54_321 },
  ]);
});

async function access(made: MadeUpNode) {
  return createFactContext(await madeUpNode(made), defaultConfig()).get(sshAccessFact);
}
