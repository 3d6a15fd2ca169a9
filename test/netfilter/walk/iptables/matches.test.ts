import { describe, expect, test } from 'vitest';
import type { Packet, Transport } from '../../../../src/netfilter/walk/packet.ts';
import { outgoing, podToPod, readingOf, tableText, toSsh, walkOver } from '../node-of.ts';

/** What a rule with these conditions says of a packet, in both backends. */
function holds(conditions: string, packet: Packet, table = 'filter'): 'yes' | 'no' | 'chance' | 'unknown' {
  const chains: readonly string[] =
    table === 'filter' ? ['INPUT', 'FORWARD', 'OUTPUT'] : ['PREROUTING', 'OUTPUT'];
  const text = tableText(
    table,
    chains.map((chain) => `-A ${chain} ${conditions} -j DROP`),
  );
  const [legacy, nft] = (['legacy', 'nft'] as const).map((backend) =>
    walkOver(readingOf({ [packet.family === 'ipv4' ? backend : `${backend}6`]: text }), packet),
  );
  expect(legacy?.verdict).toBe(nft?.verdict);
  switch (legacy?.verdict) {
    case 'drop':
      return 'yes';
    case 'pass':
      return 'no';
    case 'depends':
      return 'chance';
    default:
      return 'unknown';
  }
}

const from = (transport: Transport, more: Partial<Packet> = {}): Packet => ({ ...toSsh, ...more, transport });
const ping = from({ protocol: 'icmp', type: 8, code: 0 });
const dns = from({ protocol: 'udp', sourcePort: 5353, destinationPort: 53 });
const anyPort = from({ protocol: 'tcp' });
const state = (name: Packet['state']): Packet => ({ ...toSsh, state: name });
const toSsh6: Packet = { ...toSsh, family: 'ipv6', source: '2001:db8::7', destination: '2001:db8::1' };
const nd = (type: number) => ({ ...toSsh6, transport: { protocol: 'icmp', type, code: 0 } }) as const;
const toBroadcast: Packet = { ...dns, destination: '192.0.2.255' };

type Row = readonly [conditions: string, packet: Packet, expected: ReturnType<typeof holds>];

function rows(name: string, all: readonly Row[]): void {
  describe(name, () => {
    test.each(all.map(([conditions, packet, expected]) => ({ conditions, packet, expected })))(
      '$conditions: $expected',
      ({ conditions, packet, expected }) => {
        expect(holds(conditions, packet)).toBe(expected);
      },
    );
  });
}

rows('addresses', [
  ['-s 192.0.2.7/32', toSsh, 'yes'],
  ['! -s 192.0.2.7/32', toSsh, 'no'],
  ['-s 192.0.2.0/29', toSsh, 'yes'],
  ['-s 192.0.0.7/255.255.0.255', toSsh, 'yes'],
  ['! -d 192.0.2.1', toSsh, 'no'],
  ['-d 10.0.0.0/8 -s 192.0.2.7/32', toSsh, 'no'],
  ['-s 2001:db8::/64', toSsh6, 'yes'],
  ['-d 2001:db8::2/128', toSsh6, 'no'],
  ['-s host-1', toSsh, 'unknown'],
  ['-m iprange --src-range 192.0.2.5-192.0.2.9', toSsh, 'yes'],
  ['-m iprange ! --dst-range 192.0.2.5-192.0.2.9', toSsh, 'yes'],
  ['-m iprange --src-range 192.0.2.8-192.0.2.9', toSsh, 'no'],
]);

rows('links', [
  ['-i eth0', toSsh, 'yes'],
  ['-i eth+', toSsh, 'yes'],
  ['! -i eth+', toSsh, 'no'],
  ['-i eth', toSsh, 'no'],
  ['-i cni0 -o flannel.1', podToPod, 'yes'],
  ['-i cni0 ! -o flannel.+', podToPod, 'no'],
  // There is no link: its name is empty to the kernel.
  ['-o eth0', toSsh, 'no'],
  ['! -o eth0', toSsh, 'yes'],
  ['! -i eth0', outgoing, 'yes'],
  ['-i +', outgoing, 'yes'],
  ['-m physdev --physdev-is-bridged', toSsh, 'no'],
  ['-m physdev ! --physdev-is-bridged', toSsh, 'yes'],
  ['-m physdev --physdev-in veth1', toSsh, 'no'],
  ['-m physdev --physdev-is-bridged', podToPod, 'no'],
  ['-m physdev --physdev-is-bridged', { ...podToPod, destination: '10.42.0.9' }, 'unknown'],
  ['-m physdev --physdev-is-in', podToPod, 'unknown'],
  ['-m physdev --physdev-is-bridged', outgoing, 'no'],
]);

rows('protocols', [
  ['-p tcp', toSsh, 'yes'],
  ['-p 6', toSsh, 'yes'],
  ['! -p tcp', toSsh, 'no'],
  ['! -p udp', toSsh, 'yes'],
  ['-p icmp', ping, 'yes'],
  ['-p ipv6-icmp', ping, 'no'],
  ['-p ipv6-icmp', nd(135), 'yes'],
  ['-p icmp', nd(135), 'no'],
  ['-p esp', from({ protocol: 'esp' }), 'yes'],
  ['-p esp', from({ protocol: 'other', number: 50 }), 'yes'],
  ['-p ah', from({ protocol: 'ah' }), 'yes'],
  // To IPv6 it is no protocol, but a header before it.
  ['-p ah', { ...toSsh6, transport: { protocol: 'ah' } }, 'no'],
  ['-p tcp', { ...toSsh6, transport: { protocol: 'ah' } }, 'unknown'],
  ['-p sctp', from({ protocol: 'sctp' }), 'yes'],
  ['-p 4', from({ protocol: 'other', number: 4 }), 'yes'],
  ['-p no-such', toSsh, 'unknown'],
  ['-f', toSsh, 'no'],
  ['! -f', toSsh, 'yes'],
]);

rows('ports', [
  ['-p tcp -m tcp --dport 22', toSsh, 'yes'],
  ['-p tcp --dport 22', toSsh, 'yes'],
  ['-p tcp -m tcp ! --dport 22', toSsh, 'no'],
  ['-p tcp -m tcp --dport 20:25 --sport 1024:65535', toSsh, 'yes'],
  ['-p tcp -m tcp --sport :1023', toSsh, 'no'],
  ['-p tcp -m tcp --sport 1024:', toSsh, 'yes'],
  ['-p udp -m udp --dport 53', dns, 'yes'],
  ['-p udp -m udp --dport 53', toSsh, 'no'],
  ['-p tcp -m multiport --dports 80,22', toSsh, 'yes'],
  ['-p tcp -m multiport --dports 1:21,23:65535', toSsh, 'no'],
  ['-p tcp -m multiport ! --dports 1,2,3:5', toSsh, 'yes'],
  ['-p tcp -m multiport --ports 40000', toSsh, 'yes'],
  ['-p tcp -m multiport ! --ports 22', toSsh, 'no'],
  ['-p tcp -m multiport --sports 22', toSsh, 'no'],
  ['-p tcp -m tcp --dport 22', anyPort, 'unknown'],
  ['-p udp -m udp --dport 22', anyPort, 'no'],
  ['-p tcp -m tcp --dport 0:65535', anyPort, 'yes'],
  ['-p tcp -m tcp ! --dport 22', anyPort, 'unknown'],
  ['-p udp -m multiport --dports 1:10 -m string --string x --algo bm', toSsh, 'no'],
]);

rows('inside of the packet', [
  ['-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', toSsh, 'yes'],
  ['-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN', state('ESTABLISHED'), 'no'],
  ['-p tcp --syn', toSsh, 'yes'],
  ['-p tcp ! --syn', toSsh, 'no'],
  ['-p tcp -m tcp --tcp-flags ALL NONE', from({ protocol: 'tcp', flags: [] }), 'yes'],
  ['-p tcp -m tcp --tcp-flags SYN,RST RST', from({ protocol: 'tcp', flags: ['RST', 'ACK'] }), 'yes'],
  ['-p tcp -m tcp --tcp-option 7', toSsh, 'unknown'],
  ['-p icmp -m icmp --icmp-type 8', ping, 'yes'],
  ['-p icmp -m icmp --icmp-type echo-request', ping, 'yes'],
  ['-p icmp -m icmp ! --icmp-type 8', ping, 'no'],
  ['-p icmp -m icmp --icmp-type 3/4', ping, 'no'],
  ['-p icmp -m icmp --icmp-type 8/1', ping, 'no'],
  ['-p icmp -m icmp --icmp-type any', from({ protocol: 'icmp' }), 'yes'],
  ['-p icmp -m icmp --icmp-type 8', from({ protocol: 'icmp' }), 'unknown'],
  ['-p icmp -m icmp --icmp-type 3/4', from({ protocol: 'icmp', type: 3 }), 'unknown'],
  ['-p ipv6-icmp -m icmp6 --icmpv6-type 135', nd(135), 'yes'],
  ['-p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255', nd(135), 'yes'],
  ['-p ipv6-icmp -m icmp6 --icmpv6-type 128 -m hl --hl-eq 255', nd(128), 'unknown'],
  ['-m rt --rt-type 0', toSsh6, 'no'],
  ['-p esp -m esp --espspi 256:300', from({ protocol: 'esp', spi: 256 }), 'yes'],
  ['-p esp -m esp ! --espspi 256:300', from({ protocol: 'esp', spi: 256 }), 'no'],
  ['-p esp -m esp --espspi 256:300', from({ protocol: 'esp' }), 'unknown'],
  ['-m u32 --u32 "0x0>>0x16&0x3c@0x4=0x5"', toSsh, 'unknown'],
  ['-m length --length 0:100', toSsh, 'unknown'],
  ['-m comment [unsupported revision]', toSsh, 'unknown'],
  ['-m comment --comment "-p udp -j ACCEPT"', toSsh, 'yes'],
]);

rows('connections', [
  ['-m conntrack --ctstate NEW', toSsh, 'yes'],
  ['-m conntrack --ctstate RELATED,ESTABLISHED', toSsh, 'no'],
  ['-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT', toSsh, 'yes'],
  ['-m state --state INVALID', state('INVALID'), 'yes'],
  ['-m state ! --state NEW', toSsh, 'no'],
  ['-m conntrack --ctstate UNTRACKED', state('UNTRACKED'), 'yes'],
  ['-m conntrack --ctproto tcp', toSsh, 'yes'],
  ['-m conntrack ! --ctproto 17', toSsh, 'yes'],
  ['-m conntrack --ctproto icmp', { ...ping, state: 'RELATED' }, 'unknown'],
  ['-m conntrack --ctorigdst 192.0.2.1/32 --ctorigdstport 22', toSsh, 'yes'],
  ['-m conntrack --ctorigsrc 192.0.2.1/32', toSsh, 'no'],
  ['-m conntrack --ctreplsrc 192.0.2.1/32', toSsh, 'yes'],
  ['-m conntrack --ctorigdst 192.0.2.1/32', state('ESTABLISHED'), 'unknown'],
  ['-m conntrack --ctstatus ASSURED', toSsh, 'no'],
  ['-m conntrack --ctstatus NONE', toSsh, 'no'],
  ['-m conntrack --ctstatus SEEN_REPLY', state('ESTABLISHED'), 'yes'],
  ['-m conntrack --ctdir ORIGINAL', toSsh, 'yes'],
  ['-m conntrack --ctdir REPLY', state('ESTABLISHED'), 'unknown'],
  // Without a connection only the state is looked at, and nothing else ever matches.
  ['-m conntrack ! --ctproto 17', state('INVALID'), 'no'],
  ['-m conntrack --ctstate INVALID --ctproto 17', state('INVALID'), 'yes'],
  ['-m connmark ! --mark 0x5', state('INVALID'), 'no'],
  ['-m connmark --mark 0x5', { ...toSsh, connectionMark: 5 }, 'yes'],
  ['-m connmark ! --mark 0x4/0x4', { ...toSsh, connectionMark: 5 }, 'no'],
  ['-m helper --helper ftp', toSsh, 'no'],
  ['-m helper ! --helper ftp', toSsh, 'yes'],
  ['-m helper --helper ftp', state('RELATED'), 'unknown'],
  ['-m mark --mark 0x1/0x1', { ...toSsh, mark: 3 }, 'yes'],
  ['-m mark ! --mark 0x1/0x1', { ...toSsh, mark: 3 }, 'no'],
  ['-m mark --mark 0x80000000/0x80000000', { ...toSsh, mark: 0xffffffff }, 'yes'],
]);

rows('who and where', [
  ['-m addrtype --dst-type LOCAL', toSsh, 'yes'],
  ['-m addrtype ! --dst-type LOCAL', toSsh, 'no'],
  ['-m addrtype --dst-type LOCAL', podToPod, 'no'],
  ['-m addrtype --src-type UNICAST --dst-type LOCAL,BROADCAST', toSsh, 'yes'],
  ['-m addrtype --dst-type UNICAST', toSsh, 'no'],
  ['-m addrtype --dst-type BROADCAST', toBroadcast, 'yes'],
  ['-m addrtype --dst-type MULTICAST', { ...dns, destination: '224.0.0.251' }, 'yes'],
  ['-m addrtype --dst-type LOCAL --limit-iface-in', toSsh, 'yes'],
  ['-m addrtype --dst-type LOCAL --limit-iface-in', { ...toSsh, destination: '10.42.0.1' }, 'no'],
  ['-m addrtype --dst-type LOCAL', toSsh6, 'yes'],
  ['-m addrtype --dst-type UNICAST', toSsh6, 'yes'],
  ['-m addrtype --src-type LOCAL', toSsh6, 'no'],
  ['-m owner --uid-owner 0', outgoing, 'yes'],
  ['-m owner ! --uid-owner 0-99', outgoing, 'no'],
  ['-m owner --gid-owner 5', outgoing, 'no'],
  ['-m owner --socket-exists', outgoing, 'yes'],
  ['-m owner --uid-owner 0', { ...outgoing, origin: { kind: 'process' } }, 'unknown'],
  ['-m mac --mac-source 00:11:22:33:44:55', toSsh, 'unknown'],
  ['-m pkttype --pkt-type broadcast', toSsh, 'no'],
  ['-m pkttype ! --pkt-type broadcast', toBroadcast, 'no'],
  ['-m pkttype --pkt-type unicast', outgoing, 'yes'],
]);

rows('chance', [
  ['-m limit --limit 3/min', toSsh, 'chance'],
  ['-m hashlimit --hashlimit-above 5/min --hashlimit-mode srcip --hashlimit-name x', toSsh, 'chance'],
  ['-m recent --rcheck --name x --rsource', toSsh, 'chance'],
  ['-m recent --set --name x --mask 255.255.255.255 --rsource', toSsh, 'yes'],
  ['-m statistic --mode random --probability 0.33333333349', toSsh, 'chance'],
  ['-m statistic --mode random --probability 1.00000000000', toSsh, 'yes'],
  ['-m statistic --mode random ! --probability 1.00000000000', toSsh, 'no'],
  ['-m statistic --mode random --probability 0.00000000000', toSsh, 'no'],
  ['-m statistic --mode nth --every 3 --packet 0', toSsh, 'chance'],
  ['-m statistic --mode nth --every 1 --packet 0', toSsh, 'yes'],
  ['-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr', toSsh, 'chance'],
  ['-m time --timestart 08:00:00', toSsh, 'chance'],
  ['-m limit --limit 3/min -m string --string x --algo bm', toSsh, 'unknown'],
  ['-m limit --limit 3/min -p udp', toSsh, 'no'],
  ['-m nfacct --nfacct-name localhost_nps_accepted_pkts', toSsh, 'yes'],
]);

test('the connection of a packet to the node itself is confirmed once it has left', () => {
  const confirmed = '-m conntrack --ctstatus CONFIRMED';
  const input = (packet: Packet) =>
    walkOver(readingOf({ nft: tableText('filter', [`-A INPUT ${confirmed} -j DROP`]) }), packet).verdict;
  expect(input({ ...outgoing, destination: '192.0.2.1' })).toBe('drop');
  expect(input(toSsh)).toBe('pass');
  expect(holds(confirmed, outgoing)).toBe('no');
});

test('before conntrack has looked, every packet is invalid and has no connection', () => {
  expect(holds('-m conntrack --ctstate NEW', toSsh, 'raw')).toBe('no');
  expect(holds('-m conntrack --ctstate INVALID', toSsh, 'raw')).toBe('yes');
  expect(holds('-m connmark ! --mark 0x5', toSsh, 'raw')).toBe('no');
});

test('a packet that came the way that leads back to its sender', () => {
  expect(holds('-m rpfilter', toSsh, 'raw')).toBe('yes');
  expect(holds('-m rpfilter --invert', toSsh, 'raw')).toBe('no');
  const astray: Packet = { ...toSsh, source: '10.42.0.9' };
  expect(holds('-m rpfilter --invert', astray, 'raw')).toBe('yes');
  expect(holds('-m rpfilter --loose', astray, 'raw')).toBe('yes');
  expect(holds('-m rpfilter --validmark', astray, 'raw')).toBe('unknown');
});
