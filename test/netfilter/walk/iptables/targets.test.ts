import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { FirewallReading } from '../../../../src/netfilter/walk/reading.ts';
import type { Walk } from '../../../../src/netfilter/walk/walk.ts';
import { network, outgoing, podToPod, readingOf, tableText, toSsh, walkOver } from '../node-of.ts';

const reading = (...tables: readonly string[]): FirewallReading => readingOf({ nft: tables.join('') });
const walk = (packet: Packet, ...tables: readonly string[]): Walk => walkOver(reading(...tables), packet);

describe('refusals', () => {
  test.each([
    ['-j REJECT', 'icmp-port-unreachable'],
    ['-p tcp -j REJECT --reject-with tcp-reset', 'tcp-reset'],
  ])('%s', (rule, rejectWith) => {
    const { verdict, ends } = walk(toSsh, tableText('filter', [`-A INPUT ${rule}`]));
    expect(verdict).toBe('reject');
    expect(ends).toMatchObject([
      { decidedBy: { rejectWith }, path: [{ action: `reject with ${rejectWith}` }] },
    ]);
  });

  test('a process behind a queue decides', () => {
    const { verdict, ends } = walk(toSsh, tableText('filter', ['-A INPUT -j NFQUEUE --queue-num 0']));
    expect(verdict).toBe('unknown');
    expect(ends.map(({ fate }) => fate)).toEqual(['pass', 'drop']);
  });
});

describe('marks', () => {
  const marked = (packet: Packet, ...rules: readonly string[]) =>
    walk(
      packet,
      tableText(
        'mangle',
        rules.map((rule) => `-A INPUT ${rule}`),
      ),
    ).ends[0]?.packet;

  test.each<[string, number]>([
    ['--set-xmark 0x4000/0x4000', 0x400f],
    ['--set-xmark 0x4000/0x0', 0x400f],
    ['--set-xmark 0x3/0x0', 0xc],
    ['--set-xmark 0x5/0xffffffff', 0x5],
    ['--set-mark 0x10', 0x10],
    ['--set-mark 0x10/0x1', 0x1e],
    ['--and-mark 0x3', 0x3],
    ['--or-mark 0x80000000', 0x8000000f],
    ['--xor-mark 0xff', 0xf0],
  ])('MARK %s', (option, mark) => {
    expect(marked({ ...toSsh, mark: 0xf }, `-j MARK ${option}`)?.mark).toBe(mark);
  });

  test('of the connection', () => {
    const packet = { ...toSsh, mark: 0xab, connectionMark: 0xf0 };
    expect(marked(packet, '-j CONNMARK --set-xmark 0x1/0xf')).toMatchObject({
      connectionMark: 0xf1,
      mark: 0xab,
    });
    expect(marked(packet, '-j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff')?.connectionMark).toBe(0xb);
    expect(marked(packet, '-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf0')?.mark).toBe(0xf0);
    expect(marked(packet, '-j CONNMARK --restore-mark')?.mark).toBe(0xf0);
    expect(marked({ ...packet, state: 'INVALID' }, '-j CONNMARK --restore-mark')?.mark).toBe(0xab);
  });
});

test('what raw takes out of the sight of conntrack is untracked, and not translated', () => {
  const { verdict, ends } = walk(
    toSsh,
    tableText('raw', ['-A PREROUTING -p tcp -j CT --notrack']),
    tableText('nat', ['-A PREROUTING -p tcp -j DNAT --to-destination 10.42.0.9']),
    tableText('filter', ['-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT'], { INPUT: 'DROP' }),
  );
  expect(verdict).toBe('pass');
  expect(ends).toMatchObject([{ way: 'in', destinationTranslated: false }]);
});

describe('translation of the destination', () => {
  const dnat = (target: string, packet: Packet = toSsh) =>
    walk(packet, tableText('nat', [`-A PREROUTING -p ${packet.transport.protocol} -j ${target}`]));

  test('sends the packet another way', () => {
    const { ends } = dnat('DNAT --to-destination 10.42.0.9:2222');
    expect(ends).toMatchObject([
      {
        way: 'forward',
        destinationTranslated: true,
        packet: { destination: '10.42.0.9', transport: { destinationPort: 2222 }, outLink: 'cni0' },
        path: [{ action: 'to 10.42.0.9:2222' }],
      },
    ]);
  });

  test.each<[string, readonly string[]]>([
    ['DNAT --to-destination 10.42.0.8-10.42.0.10', ['10.42.0.8:22', '10.42.0.9:22', '10.42.0.10:22']],
    ['DNAT --to-destination 10.42.0.9', ['10.42.0.9:22']],
    ['DNAT --to-destination :80', ['192.0.2.1:80']],
    ['DNAT --to-destination 10.42.0.9:20-30', ['10.42.0.9:22']],
    ['DNAT --to-destination 10.42.0.9:80-81', ['10.42.0.9:undefined']],
    ['DNAT --to-destination 10.42.0.9:8000-8010/20', ['10.42.0.9:8002']],
    ['REDIRECT --to-ports 8080', ['192.0.2.1:8080']],
    ['REDIRECT', ['192.0.2.1:22']],
    ['NETMAP --to 10.42.0.0/24', ['10.42.0.1:22']],
  ])('%s', (target, expected) => {
    const { ends } = dnat(target);
    expect(
      ends.map(({ packet: { destination, transport } }) =>
        transport.protocol === 'tcp' ? `${destination}:${transport.destinationPort}` : destination,
      ),
    ).toEqual(expected);
    const isOpen = expected.length > 1;
    expect(ends.every(({ assumptions }) => assumptions.length === (isOpen ? 1 : 0))).toBe(true);
  });

  test('of IPv6', () => {
    const text = tableText('nat', ['-A PREROUTING -p tcp -j DNAT --to-destination [fd42::9]:80']);
    const packet: Packet = { ...toSsh, family: 'ipv6', source: '2001:db8::7', destination: '2001:db8::1' };
    expect(walkOver(readingOf({ nft6: text }), packet).ends).toMatchObject([
      { way: 'forward', packet: { destination: 'fd42::9', transport: { destinationPort: 80 } } },
    ]);
  });

  test('of what a process sends: the filter sees the link of before, the last chain the new one', () => {
    const { ends, verdict } = walk(
      outgoing,
      tableText('nat', ['-A OUTPUT -p tcp -j DNAT --to-destination 10.42.0.9:80']),
      tableText('filter', ['-A OUTPUT ! -o eth0 -j DROP']),
      tableText('mangle', ['-A POSTROUTING ! -o cni0 -j DROP']),
    );
    expect(verdict).toBe('pass');
    expect(ends).toMatchObject([{ way: 'out', packet: { outLink: 'cni0' } }]);
  });

  test('is what the state DNAT means, and only where it changed something', () => {
    const asks = tableText('filter', ['-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT'], {
      FORWARD: 'DROP',
    });
    const nat = (to: string) => tableText('nat', [`-A PREROUTING -p tcp -j DNAT --to-destination ${to}`]);
    expect(walk(podToPod, asks, nat('10.42.0.9')).verdict).toBe('pass');
    expect(walk(podToPod, asks, nat('10.42.1.7')).verdict).toBe('drop');
  });
});

describe('translation of the source', () => {
  const from = (target: string, packet = podToPod) =>
    walk(packet, tableText('nat', [`-A POSTROUTING -p tcp -j ${target}`])).ends;

  test('MASQUERADE takes the address of the link out', () => {
    expect(from('MASQUERADE')).toMatchObject([
      { sourceTranslated: true, packet: { source: '10.42.0.0' }, path: [{ action: 'from 10.42.0.0:40000' }] },
    ]);
    expect(from('MASQUERADE', { ...podToPod, destination: '198.51.100.9' })[0]?.packet.source).toBe(
      '192.0.2.1',
    );
    expect(from('MASQUERADE --random-fully')[0]?.packet.transport).not.toHaveProperty('sourcePort');
  });

  test('SNAT takes one of its own', () => {
    expect(from('SNAT --to-source 192.0.2.1:1000')).toMatchObject([
      { packet: { source: '192.0.2.1', transport: { sourcePort: 1000 } } },
    ]);
    expect(from('SNAT --to-source 192.0.2.1-192.0.2.2').map(({ packet }) => packet.source)).toEqual([
      '192.0.2.1',
      '192.0.2.2',
    ]);
  });

  test('without knowing the links its address stays open', () => {
    const nft = tableText('nat', ['-A POSTROUTING -j MASQUERADE']);
    const blind = { ...readingOf({ nft }), network: { ...network, links: undefined } };
    expect(walkOver(blind, podToPod).ends).toMatchObject([
      { fate: 'pass', sourceTranslated: true, path: [{ action: 'from the address of its link out' }] },
    ]);
  });
});
