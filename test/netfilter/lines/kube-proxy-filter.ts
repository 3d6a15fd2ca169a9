import { ownedLines } from './owned-line.ts';

/** What kube-proxy (iptables mode, 1.19 to 1.36) and kubelet write into their own filter chains, and kubelet into nat. */
export const kubeProxyFilterLines = ownedLines(
  'filter',
  `
  all: KUBE-SERVICES -d 10.43.0.83/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
  all, IPv6: KUBE-SERVICES -d fd00:43::53/128 -p udp -m comment --comment "default/empty:dns has no endpoints" -m udp --dport 53 -j REJECT --reject-with icmp6-port-unreachable
  1.25+: KUBE-SERVICES -d 10.43.0.83/32 -p tcp -m comment --comment "default/empty:http has no local endpoints" -m tcp --dport 80 -j DROP
  all: KUBE-EXTERNAL-SERVICES -d 198.51.100.9/32 -p tcp -m comment --comment "default/empty:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
  all: KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/empty:http has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30089 -j REJECT --reject-with icmp-port-unreachable
  1.25+: KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "shop/np:http has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30081 -j DROP
  1.21+: KUBE-NODEPORTS -p tcp -m comment --comment "default/lb:http health check node port" -m tcp --dport 31354 -j ACCEPT
  1.25+: KUBE-PROXY-FIREWALL -d 198.51.100.9/32 -p tcp -m comment --comment "default/lb:http traffic not accepted by KUBE-FW-JSLCNGWSGB5JPS5Q" -m tcp --dport 80 -j DROP
  all: KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
  1.31+: KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP
  all: KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
  1.23+: KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  to 1.22: KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack pod source rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  to 1.22: KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack pod destination rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  all: KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
  kubelet to 1.26: KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP
`,
);

export const kubeletNatLines = ownedLines(
  'nat',
  `
  kubelet to 1.26: KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
  kubelet to 1.26, another bit: KUBE-MARK-DROP -j MARK --set-xmark 0x200000/0x200000
`,
);
