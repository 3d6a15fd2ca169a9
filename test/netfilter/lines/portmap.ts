import { ownedLines } from './owned-line.ts';

/** What the CNI's portmap plugin (0.7 to 1.9) writes into a sandbox's chain: never with a comment. */
export const portmapLines = ownedLines(
  'nat',
  `
  0.8.6+: CNI-DN-2340674fa9a846ba6cee5 -s 10.42.0.0/24 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK
  to 0.8.5: CNI-DN-2340674fa9a846ba6cee5 -s 10.42.0.9/32 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK
  1.2+, masquerade all: CNI-DN-2340674fa9a846ba6cee5 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK
  all: CNI-DN-2340674fa9a846ba6cee5 -s 127.0.0.1/32 -d 192.168.1.105/32 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK
  with an external mark chain: CNI-DN-2340674fa9a846ba6cee5 -s 10.42.0.0/24 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
  all: CNI-DN-2340674fa9a846ba6cee5 -p udp -m udp --dport 53 -j DNAT --to-destination 10.42.0.9:53
  all, IPv6: CNI-DN-2340674fa9a846ba6cee5 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00:42::9]:8000
`,
);
