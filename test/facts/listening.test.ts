import { expect, test } from 'vitest';
import { listeningFact } from '../../src/facts/listening.ts';
import { isLoopbackOnly, type ListeningSocket, listensOn } from '../../src/facts/listening-socket.ts';
import { gather } from './observed-host.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const rest = '00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0';
const row = (local: string, remote: string, state: string) => `   0: ${local} ${remote} ${state} ${rest}\n`;
const any = '00000000:0000';
const any6 = `${'0'.repeat(32)}:0000`;

async function listening(texts: Readonly<Record<string, string>>) {
  const files = Object.entries(texts).map(([name, text]) => ({
    path: `/proc/net/${name}`,
    text: head + text,
  }));
  const edits = { host: { files } };
  return (await gather(listeningFact, 'kube-proxy-legacy-then-nft', { edits })).value;
}

test('sockets that listen, of both protocols and families, and no others', async () => {
  const found = await listening({
    tcp:
      row('0100007F:1F90', any, '0A') +
      row('0B3CA8C0:0016', '0C3CA8C0:8F10', '01') +
      row('0B3CA8C0:094B', any, '0A'),
    udp: row('00000000:2118', any, '07') + row('0B3CA8C0:8000', '08080808:0035', '01'),
    tcp6:
      row(`${'0'.repeat(32)}:280A`, any6, '0A') +
      row('000060FD000000000000000011000000:192B', any6, '0A') +
      row('0000000000000000FFFF00000B3CA8C0:0050', any6, '0A'),
    udp6: row(`${'0'.repeat(32)}:2118`, any6, '07'),
  });
  expect(found).toEqual({
    kind: 'known',
    sockets: [
      { protocol: 'tcp', family: 'ipv4', address: '127.0.0.1', port: 8080 },
      { protocol: 'tcp', family: 'ipv4', address: '192.168.60.11', port: 2379 },
      { protocol: 'udp', family: 'ipv4', address: '0.0.0.0', port: 8472 },
      { protocol: 'tcp', family: 'ipv6', address: '::', port: 10250 },
      { protocol: 'tcp', family: 'ipv6', address: 'fd60::11', port: 6443 },
      { protocol: 'tcp', family: 'ipv6', address: '::ffff:192.168.60.11', port: 80 },
      { protocol: 'udp', family: 'ipv6', address: '::', port: 8472 },
    ],
  });
});

test('addresses of a big-endian machine', async () => {
  const found = await listening({
    tcp: row('7F000001:1F90', any, '0A') + row('C0A83C0B:0016', any, '0A'),
    udp: '',
    tcp6: row('FD600000000000000000000000000011:0016', any6, '0A'),
  });
  expect(found).toMatchObject({
    sockets: [{ address: '127.0.0.1' }, { address: '192.168.60.11' }, { address: 'fd60::11' }],
  });
});

test('what a process for each processor listens on is told once', async () => {
  const found = await listening({ tcp: '', udp: row('00000000:2118', any, '07').repeat(3) });
  expect(found).toMatchObject({ sockets: [{ port: 8472 }] });
  expect(found).not.toMatchObject({ sockets: [{}, {}] });
});

test('without the tables nothing is known', async () => {
  expect(await listening({ tcp: '' })).toEqual({ kind: 'unavailable', reason: 'there is no /proc/net/udp' });
});

const socket = (address: string): ListeningSocket => ({
  protocol: 'tcp',
  family: address.includes(':') ? 'ipv6' : 'ipv4',
  address,
  port: 22,
});

test.each([
  ['0.0.0.0', '192.0.2.1', true],
  ['0.0.0.0', '2001:db8::1', false],
  ['::', '2001:db8::1', true],
  ['::', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
])('a socket at %s is reached at %s: %s', (at, address, expected) => {
  expect(listensOn(socket(at), address.includes(':') ? 'ipv6' : 'ipv4', address)).toBe(expected);
});

test.each([
  ['127.0.0.1', true],
  ['127.0.0.53', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.0.2.1', false],
])('a socket at %s is for this node alone: %s', (at, expected) => {
  expect(isLoopbackOnly(socket(at))).toBe(expected);
});
