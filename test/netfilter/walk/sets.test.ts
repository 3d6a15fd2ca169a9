import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import type { SetsReadingState } from '../../../src/netfilter/walk/reading.ts';
import { parseIpsetSave } from '../../../src/netfilter/walk/sets/parse-ipset-save.ts';
import { matchesSet } from '../../../src/netfilter/walk/sets.ts';
import { startFlight } from '../../../src/netfilter/walk/start-flight.ts';
import { toSsh } from './node-of.ts';

/** As ipset 7.17 prints them, but for the types that the kernel of the tests does not have. */
const saved = `create ip hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x9dd44323
add ip 10.0.0.7
add ip 10.0.0.4
create noted hash:ip family inet hashsize 1024 maxelem 65536 timeout 300 counters comment bucketsize 12 initval 0x1
add noted 10.0.0.2 timeout 0 packets 0 bytes 0 comment "a b"
create masked hash:ip family inet hashsize 1024 maxelem 65536 netmask 24 bucketsize 12 initval 0x0c34d923
add masked 10.0.0.0
create ip6 hash:ip family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x920dba6b
add ip6 fd00::1
create net hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x3885382f
add net 192.168.0.1
add net 10.1.0.0/16 nomatch
add net 10.1.1.0/24
add net 10.0.0.0/8
create net6 hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x2db75d6c
add net6 fd00::5 nomatch
add net6 fd00::/64
create ipport hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xf60c8448
add ipport 10.0.0.1,gre:0
add ipport 10.0.0.1,icmp:fragmentation-needed
add ipport 10.0.0.1,udp:53
add ipport 10.0.0.1,icmp:200/3
add ipport 10.0.0.1,tcp:80
add ipport 10.0.0.1,icmp:echo-request
add ipport 10.0.0.1,esp:0
create ipport6 hash:ip,port family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xbebde928
add ipport6 fd00::1,ipv6-icmp:echo-request
create netport hash:net,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x0611a10c
add netport 10.0.0.0/24,tcp:80
add netport 10.0.0.0/25,tcp:80 nomatch
create netnet hash:net,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x0611a10c
add netnet 10.0.0.0/24,10.1.0.0/16
add netnet 10.0.0.0/24,10.1.5.0/24 nomatch
create ipportip hash:ip,port,ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa1dfcbeb
add ipportip 10.0.0.1,tcp:80,10.0.0.2
create ipportnet hash:ip,port,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x82ac2c79
add ipportnet 10.0.0.1,tcp:80,10.0.0.0/24
add ipportnet 10.0.0.1,tcp:80,10.0.0.4 nomatch
create netif hash:net,iface family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x6f45cfa6
add netif 10.0.0.0/24,eth0
add netif 10.0.1.0/24,physdev:eth0
add netif 10.0.2.0/24,eth wildcard
add netif 10.0.5.0/24,cni0
add netif 10.0.5.128/25,eth0
add netif 10.0.0.0/25,eth0 nomatch
create mark hash:ip,mark family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1
add mark 10.0.0.1,0x00000005
create mac hash:mac hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1
add mac 00:11:22:33:44:55
create bip bitmap:ip range 10.0.0.0-10.0.0.255
add bip 10.0.0.5
create bmac bitmap:ip,mac range 10.0.0.0-10.0.0.255
add bmac 10.0.0.5,00:11:22:33:44:55
add bmac 10.0.0.6
create bport bitmap:port range 0-1000
add bport 80
create other hash:ip,what family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1
create skb hash:ip family inet hashsize 1024 maxelem 65536 skbinfo bucketsize 12 initval 0xc40079dd
add skb 10.0.0.1 skbmark 0x5
create list list:set size 8
add list ip
add list net
`;

const sets: SetsReadingState = { kind: 'present', sets: parseIpsetSave(saved) ?? new Map() };

function packet(source: string, given: Partial<Packet> = {}): Packet {
  const family = source.includes(':') ? 'ipv6' : 'ipv4';
  return { ...toSsh, family, source, destination: family === 'ipv4' ? '10.1.2.3' : 'fd00::9', ...given };
}

const http = (source: string, destination = '10.1.2.3') =>
  packet(source, { destination, transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: 80 } });

function has(name: string, directions: string, of: Packet): boolean | string {
  const answer = matchesSet(sets, name, startFlight(of), directions.split(','));
  return typeof answer === 'object' ? answer.kind : answer;
}

describe('sets of ipset', () => {
  test.each<[string, string, Packet, boolean | string]>([
    ['ip', 'src', packet('10.0.0.7'), true],
    ['ip', 'src', packet('10.0.0.8'), false],
    ['ip', 'dst', packet('10.0.0.7'), false],
    ['ip', 'dst', packet('10.9.9.9', { destination: '10.0.0.4' }), true],
    ['ip', 'src', packet('fd00::1'), false],
    ['noted', 'src', packet('10.0.0.2'), true],
    ['masked', 'src', packet('10.0.0.200'), true],
    ['masked', 'src', packet('10.0.1.200'), false],
    ['ip6', 'src', packet('fd00::1'), true],
    ['ip6', 'src', packet('fd00::2'), false],
    ['net', 'src', packet('10.9.9.9'), true],
    ['net', 'src', packet('10.1.9.9'), false],
    ['net', 'src', packet('10.1.1.9'), true],
    ['net', 'src', packet('192.168.0.1'), true],
    ['net', 'src', packet('192.168.0.2'), false],
    ['net6', 'src', packet('fd00::7'), true],
    ['net6', 'src', packet('fd00::5'), false],
    ['ipport', 'src,dst', http('10.0.0.1'), true],
    ['ipport', 'src,src', http('10.0.0.1'), false],
    ['ipport', 'src,dst', http('10.0.0.2'), false],
    ['ipport', 'src', http('10.0.0.1'), false],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'udp', destinationPort: 80 } }), false],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'udp', destinationPort: 53 } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'udp' } }), 'unknown'],
    ['ipport', 'src,dst', packet('10.0.0.2', { transport: { protocol: 'udp' } }), false],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'esp' } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'ah' } }), false],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'other', number: 47 } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'icmp', type: 8, code: 0 } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'icmp', type: 3, code: 4 } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'icmp', type: 3, code: 3 } }), false],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'icmp', type: 200, code: 3 } }), true],
    ['ipport', 'src,dst', packet('10.0.0.1', { transport: { protocol: 'icmp' } }), 'unknown'],
    ['ipport6', 'src,dst', packet('fd00::1', { transport: { protocol: 'icmp', type: 128, code: 0 } }), true],
    ['netport', 'src,dst', http('10.0.0.200'), true],
    ['netport', 'src,dst', http('10.0.0.100'), false],
    ['netport', 'src,dst', packet('10.0.0.200'), false],
    ['netport', 'src,dst', packet('10.0.0.100', { transport: { protocol: 'tcp' } }), 'unknown'],
    ['netport', 'src,dst', packet('10.0.0.200', { transport: { protocol: 'tcp' } }), 'unknown'],
    ['netnet', 'src,dst', packet('10.0.0.9'), true],
    ['netnet', 'src,dst', packet('10.0.0.9', { destination: '10.1.5.5' }), false],
    ['netnet', 'dst,src', packet('10.0.0.9'), false],
    ['ipportip', 'src,dst,dst', http('10.0.0.1', '10.0.0.2'), true],
    ['ipportip', 'src,dst,dst', http('10.0.0.1', '10.0.0.3'), false],
    ['ipportnet', 'src,dst,dst', http('10.0.0.1', '10.0.0.3'), true],
    ['ipportnet', 'src,dst,dst', http('10.0.0.1', '10.0.0.4'), false],
    ['netif', 'src,src', packet('10.0.0.200'), true],
    ['netif', 'src,src', packet('10.0.0.100'), false],
    ['netif', 'src,dst', packet('10.0.0.200'), false],
    ['netif', 'src,src', packet('10.0.0.200', { origin: { kind: 'link', name: 'eth1' } }), false],
    ['netif', 'src,src', packet('10.0.0.200', { origin: { kind: 'link', name: undefined } }), 'unknown'],
    ['netif', 'src,src', packet('10.0.1.1'), 'unknown'],
    ['netif', 'src,src', packet('10.0.5.1', { origin: { kind: 'link', name: 'cni0' } }), true],
    // The longest prefix is of another link.
    ['netif', 'src,src', packet('10.0.5.200', { origin: { kind: 'link', name: 'cni0' } }), false],
    ['netif', 'src,src', packet('10.0.2.1', { origin: { kind: 'link', name: 'eth7' } }), true],
    ['netif', 'src,src', packet('10.0.2.1', { origin: { kind: 'link', name: 'cni0' } }), false],
    ['mark', 'src,src', packet('10.0.0.1', { mark: 5 }), true],
    ['mark', 'src,src', packet('10.0.0.1', { mark: 4 }), false],
    ['mac', 'src', packet('10.0.0.1'), 'unknown'],
    ['mac', 'src', packet('10.0.0.1', { origin: { kind: 'process' } }), false],
    ['bip', 'src', packet('10.0.0.5'), true],
    ['bip', 'src', packet('10.0.0.6'), false],
    ['bmac', 'src,src', packet('10.0.0.6'), 'unknown'],
    ['bmac', 'src,src', packet('10.0.0.7'), false],
    ['bport', 'dst', http('10.9.9.9'), true],
    ['bport', 'dst', packet('fd00::1', { transport: { protocol: 'udp', destinationPort: 80 } }), true],
    ['bport', 'dst', packet('10.9.9.9', { transport: { protocol: 'sctp', destinationPort: 80 } }), false],
    ['skb', 'src', packet('10.0.0.1'), true],
    ['list', 'src', packet('10.0.0.7'), true],
    ['list', 'src', packet('10.9.9.9'), true],
    ['list', 'src', packet('11.9.9.9'), false],
    ['other', 'src,src', packet('10.0.0.1'), 'unknown'],
    ['gone', 'src', packet('10.0.0.1'), 'unknown'],
  ])('%s %s', (name, directions, of, expected) => {
    expect(has(name, directions, of)).toBe(expected);
  });

  test('are in doubt where they could not be listed', () => {
    const asked = (state: SetsReadingState) => matchesSet(state, 'ip', startFlight(toSsh), ['src']);
    expect(asked({ kind: 'unknown', reason: 'ipset failed' })).toEqual({
      kind: 'unknown',
      reason: 'set ip is not known: ipset failed',
    });
    expect(asked({ kind: 'absent' })).toMatchObject({ kind: 'unknown' });
  });

  test('an element that is not understood puts all of its set in doubt', () => {
    const text = 'create s hash:ip family inet\nadd s 10.0.0.1\nadd s 10.0.0.300\n';
    const state: SetsReadingState = { kind: 'present', sets: parseIpsetSave(text) ?? new Map() };
    expect(matchesSet(state, 's', startFlight(packet('10.0.0.1')), ['src'])).toMatchObject({
      kind: 'unknown',
    });
  });

  test('many elements are found at once', () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, i) => `add big 10.${i >> 14}.${(i >> 6) & 255}.${(i & 63) * 4}/30`,
    );
    const text = ['create big hash:net family inet', ...lines, ''].join('\n');
    const state: SetsReadingState = { kind: 'present', sets: parseIpsetSave(text) ?? new Map() };
    const ask = (source: string) => matchesSet(state, 'big', startFlight(packet(source)), ['src']);
    expect(ask('10.0.0.1')).toBe(true);
    const begun = performance.now();
    for (let i = 0; i < 2000; i++) expect(ask(`11.0.${i >> 8}.${i & 255}`)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe('what ipset save prints', () => {
  test('is read into sets with their entries', () => {
    expect(parseIpsetSave(saved)?.get('noted')).toEqual({
      name: 'noted',
      type: 'hash:ip',
      family: 'ipv4',
      options: expect.arrayContaining(['family', 'inet', 'timeout', '300', 'comment']),
      entries: [['10.0.0.2', 'timeout', '0', 'packets', '0', 'bytes', '0', 'comment', 'a b']],
    });
    expect(parseIpsetSave(saved)?.get('ip6')?.family).toBe('ipv6');
    expect(parseIpsetSave('')?.size).toBe(0);
  });

  test.each(['add ip 10.0.0.1\n', 'create ip\n', 'ipset v7.17: error\n', 'create s hash:ip\nadd s "10'])(
    'anything else is not read: %j',
    (text) => {
      expect(parseIpsetSave(text)).toBeUndefined();
    },
  );
});
