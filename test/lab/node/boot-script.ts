/** A node's own address on each of its two bridges: what is attached to one uses it as gateway. */
export interface NodeAddresses {
  /** Of eth0, in a /24 and a /64: where the outside reaches the node. */
  readonly eth0: BridgeAddresses;
  /** Of cni0, in a /24 and a /64: the node's pods are in them. */
  readonly cni0: BridgeAddresses;
}

interface BridgeAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export const defaultAddresses: NodeAddresses = {
  eth0: { ipv4: '192.168.60.1', ipv6: 'fd00:60::1' },
  cni0: { ipv4: '10.42.0.1', ipv6: 'fd00:42::1' },
};

/**
 * What the first process of a node runs. It prints `ready` and then does nothing but wait for the
 * end of its input.
 *
 * - /etc and /var/lib are overlays whose upper half is in memory, with the folders that k3s or an
 *   installed doctor may have on this machine taken out (0/0 is the overlay's mark for "deleted").
 *   A second /run on top of the first hides those upper halves.
 * - eth0 is a bridge, so that any number of clients can be outside. Its default gateway does not
 *   exist: without a default route, packets to a Service address would be refused before any rule
 *   sees them.
 * - The last line makes the kernel reap what nobody waits for, so that no zombie shows in /proc.
 */
export function bootScript(hostname: string, { cni0, eth0 }: NodeAddresses): string {
  return `
hostname ${hostname}
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/etc/upper /run/etc/work /run/var-lib/upper /run/var-lib/work
for folder in etc/upper/k3s-doctor etc/upper/rancher \\
    var-lib/upper/k3s-doctor var-lib/upper/cni var-lib/upper/rancher; do
  mknod /run/$folder c 0 0
done
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work lab /etc
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/var-lib/upper,workdir=/run/var-lib/work lab /var/lib
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lock /run/netns /run/lab
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip -batch - <<END
link set lo up
link add cni0 type bridge mcast_snooping 0
addr add ${cni0.ipv4}/24 dev cni0
addr add ${cni0.ipv6}/64 dev cni0 nodad
link set cni0 up
link add eth0 type bridge mcast_snooping 0
addr add ${eth0.ipv4}/24 dev eth0
addr add ${eth0.ipv6}/64 dev eth0 nodad
link set eth0 up
route add default via 192.168.60.254 dev eth0
route add default via fd00:60::fe dev eth0
END
echo ready
exec env --ignore-signal=CHLD cat >/dev/null
`;
}
