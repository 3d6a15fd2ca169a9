import { expect, it } from 'vitest';
import { namedSources } from '../../../src/facts/ways/named-sources.ts';
import { sampleAddresses } from '../../../src/facts/ways/sample-addresses.ts';
import { filter, readingWith } from '../../probes/made-up-reading.ts';

it.each([
  ['192.0.2.0/24', ['192.0.2.1', '192.0.2.128', '192.0.2.254']],
  ['192.0.2.77/24', ['192.0.2.1', '192.0.2.128', '192.0.2.254']],
  ['10.0.0.0/8', ['10.0.0.1', '10.128.0.0', '10.255.255.254']],
  ['192.0.2.4/30', ['192.0.2.5', '192.0.2.6']],
  ['192.0.2.4/31', ['192.0.2.4', '192.0.2.5']],
  ['192.0.2.4', ['192.0.2.4']],
  ['0.0.0.0/0', ['0.0.0.1', '128.0.0.0', '255.255.255.254']],
  ['2001:db8::/64', ['2001:db8::1', '2001:db8:0:0:8000::', '2001:db8::ffff:ffff:ffff:fffe']],
  ['2001:db8::5/128', ['2001:db8::5']],
  ['somewhere', []],
  ['10.0.0.0/255.0.0.255', []],
])('of %s it takes %j', (network, samples) => {
  expect(sampleAddresses(network)).toEqual(samples);
});

it('sources are whom rules name that may be about the port', () => {
  const legacy = filter(
    ':mine - [0:0]',
    ':KUBE-NODEPORTS - [0:0]',
    ':KUBE-POD-FW-AAAAAAAAAAAAAAAA - [0:0]',
    '-A INPUT -s 10.1.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT',
    '-A INPUT ! -s 10.2.0.0/16 -p tcp -m multiport --dports 20:22,80 -j DROP',
    '-A INPUT -s 10.3.0.0/16 -j mine',
    '-A INPUT -s 10.4.0.0/16 -p udp -j ACCEPT',
    '-A INPUT -s 10.5.0.0/16 -p tcp -m tcp --dport 80 -j ACCEPT',
    '-A INPUT -m comment --comment "not -s 10.6.0.1 at all" -j mine',
    '-A INPUT -s 127.0.0.0/8 -j ACCEPT',
    '-A FORWARD -s 10.7.0.0/16 -j ACCEPT',
    '-A OUTPUT -s 10.8.0.0/16 -j ACCEPT',
    '-A KUBE-NODEPORTS -s 10.9.0.9/32 -p tcp -m tcp --dport 22 -j ACCEPT',
    '-A KUBE-POD-FW-AAAAAAAAAAAAAAAA -s 10.42.0.9/32 -j ACCEPT',
  );
  const nft = filter('-A INPUT -s 10.10.0.0/16 -p tcp -j REJECT', '-A INPUT -s 10.1.0.0/16 -j ACCEPT');
  const reading = readingWith({ 'legacy ipv4': legacy, 'nft ipv4': nft, 'nft ipv6': { unreadable: 'torn' } });
  expect(namedSources(reading, 'ipv4', [22])).toEqual([
    ...['10.1.0.1', '10.2.0.1', '10.3.0.1', '10.9.0.9', '10.10.0.1'],
  ]);
  expect(namedSources(reading, 'ipv6', [22])).toEqual([]);
});

it('no more are taken than can be walked in good time', () => {
  const bans = Array.from({ length: 3_000 }, (_, i) => `-A INPUT -s 10.1.${i >> 8}.${i & 255}/32 -j DROP`);
  expect(namedSources(readingWith({ 'nft ipv4': filter(...bans) }), 'ipv4', [22])).toHaveLength(24);
});
