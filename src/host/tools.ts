/** The external programs the product may run, by the names that the configuration's `commands` uses. */
export const tools = [
  'iptables-legacy-save',
  'iptables-legacy-restore',
  'ip6tables-legacy-save',
  'ip6tables-legacy-restore',
  'iptables-nft-save',
  'iptables-nft-restore',
  'ip6tables-nft-save',
  'ip6tables-nft-restore',
  // What UFW calls: which backend that is, `--version` says.
  'iptables',
  'ip6tables',
  'nft',
  'conntrack',
  'crictl',
  'ip',
  'bridge',
  'ipset',
  'ufw',
  'firewall-cmd',
  'ethtool',
  'ping',
  // Resolves a name as the host's own programs do.
  'getent',
  // Asks DNS servers from inside a pod's network.
  'nsenter',
  'flock',
  'systemctl',
  'systemd-run',
  'k3s-doctor',
] as const;

export type Tool = (typeof tools)[number];
