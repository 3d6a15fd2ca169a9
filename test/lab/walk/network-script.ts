import {
  existingPods,
  families,
  hostAddress,
  nodeAddresses,
  oddRoutes,
  podMac,
  prefixes,
  wireOfPod,
  wires,
} from './world.ts';

/** Network namespaces: the node, the underlay of its wires, and who holds their other ends. */
export interface Namespaces {
  readonly node: string;
  readonly underlay: string;
  readonly outside: string;
}

export const namespaceNames: Namespaces = { node: 'walked', underlay: 'underlay', outside: 'outside' };

export const vxlanPort = 4789;
export const outsidePort = 5000;
/** VXLAN numbers of a way through the underlay alone: in, and out again. */
export const fence = { in: 90, out: 91 } as const;
export const underlayAddress = '10.255.0.1';
export const outsideAddress = '10.255.0.2';

/**
 * A shell script that makes them. Each link of the node is a VXLAN device whose socket is in the
 * underlay: a datagram with a whole frame in it comes in over the link, and what the node sends
 * comes out as a datagram. So any frame can be made and seen without a raw socket.
 */
export function networkScript({ node, underlay, outside }: Namespaces): string {
  const nodeLines = [
    'link set lo up',
    `link add cni0 index 100 address ${wireMac(9)} type bridge mcast_snooping 0`,
    'link set veth-a master cni0',
    'link set veth-b master cni0',
    ...[...Object.keys(wires), 'cni0'].map((link) => `link set ${link} up`),
    ...Object.entries(nodeAddresses.ipv4).map(([link, address]) =>
      link === 'flannel.1'
        ? `addr add ${address}/32 dev ${link}`
        : `addr add ${address}/24 brd + dev ${link}`,
    ),
    ...Object.entries(nodeAddresses.ipv6).map(
      ([link, address]) => `addr add ${address}/64 dev ${link} nodad`,
    ),
    'route add 10.42.1.0/24 dev flannel.1',
    `route add ${prefixes.ipv6['flannel.1']}/64 dev flannel.1`,
    ...oddRoutes.map((route) => `route add ${route}`),
    'route add default via 192.168.60.254 dev eth0',
    'route add default via fd00:60::fe dev eth0',
    ...families.flatMap((family) =>
      existingPods[family].map((number) => {
        const address = hostAddress(prefixes[family].cni0, number);
        return `neigh add ${address} lladdr ${podMac(number)} dev cni0 nud permanent`;
      }),
    ),
  ];
  return `
ip netns add ${node}
ip netns add ${underlay}
ip netns add ${outside}
for file in all default; do
  ip netns exec ${node} sh -c "echo 0 >/proc/sys/net/ipv4/conf/$file/rp_filter
    echo 0 >/proc/sys/net/ipv6/conf/$file/accept_ra
    echo 0 >/proc/sys/net/ipv6/conf/$file/accept_dad"
done
ip -n ${underlay} link add u0 address ${wireMac(0x51)} type veth peer name d0 address ${wireMac(0x52)} netns ${outside}
ip -n ${underlay} addr add ${underlayAddress}/24 dev u0
ip -n ${outside} addr add ${outsideAddress}/24 dev d0
ip -n ${underlay} link set u0 up
ip -n ${outside} link set lo up
ip -n ${outside} link set d0 up
ip -n ${underlay} neigh add ${outsideAddress} lladdr ${wireMac(0x52)} dev u0 nud permanent
ip -n ${outside} neigh add ${underlayAddress} lladdr ${wireMac(0x51)} dev d0 nud permanent
${Object.entries(wires)
  .map(
    ([link, id]) => `
ip -n ${underlay} link add ${link} address ${wireMac(id)} type vxlan id ${id} dstport ${vxlanPort} local ${underlayAddress} nolearning noudpcsum
ip -n ${underlay} link set ${link} netns ${node}
ip -n ${node} link set ${link} arp off
ip netns exec ${node} bridge fdb append 00:00:00:00:00:00 dev ${link} dst ${outsideAddress} port ${outsidePort} self`,
  )
  .join('')}
ip -n ${underlay} -batch - <<END
link add fence type bridge mcast_snooping 0
link add f0 type vxlan id ${fence.in} dstport ${vxlanPort} local ${underlayAddress} nolearning noudpcsum
link add f1 type vxlan id ${fence.out} dstport ${vxlanPort} local ${underlayAddress} nolearning noudpcsum
link set f0 master fence up
link set f1 master fence up
link set fence up
END
ip netns exec ${underlay} bridge fdb append 00:00:00:00:00:00 dev f1 dst ${outsideAddress} port ${outsidePort} self
ip -n ${node} -batch - <<END
${nodeLines.join('\n')}
END
ip netns exec ${node} bridge -batch - <<END
${existingPods.ipv6.map((number) => `fdb add ${podMac(number)} dev ${wireOfPod(number)} master static`).join('\n')}
END
ip netns exec ${node} sh -ec '
for port in veth-a veth-b; do bridge link set dev $port hairpin on; done
cd /proc/sys/net
${sysctls.map(([file, value]) => `[ ! -e ${file} ] || echo ${value} >${file}`).join('\n')}
'
`;
}

/** So that errors are never held back, and only rules decide about states and addresses. */
const sysctls = [
  ['ipv4/ip_forward', '1'],
  ['ipv6/conf/all/forwarding', '1'],
  ['ipv4/icmp_ratemask', '0'],
  ['ipv4/icmp_ratelimit', '0'],
  ['ipv6/icmp/ratelimit', '0'],
  ['ipv6/icmp/ratemask', '0'],
  ['ipv4/icmp_echo_ignore_broadcasts', '0'],
  ['ipv4/tcp_syncookies', '0'],
  ['netfilter/nf_conntrack_tcp_be_liberal', '1'],
  ['netfilter/nf_conntrack_tcp_loose', '1'],
] as const;

export function wireMac(id: number): string {
  return `02:00:00:00:00:${id.toString(16).padStart(2, '0')}`;
}
