import { ownedLines } from './owned-line.ts';

/** What k3s' network policy controller (kube-router) writes into its own chains, 1.3.2+k3s to 2.6.3-k3s1. */
export const networkPolicyLines = ownedLines(
  'filter',
  String.raw`
  1.3.2: KUBE-ROUTER-INPUT -d 10.43.0.0/16 -m comment --comment "allow traffic to cluster IP - M66LPN4N3KB5HTJR" -j RETURN
  1.3.2+k3s to 1.5.1: KUBE-ROUTER-INPUT -d 10.43.0.0/16 -m comment --comment "allow traffic to primary cluster IP range - TZZOAXOCHPHEHX7M" -j RETURN
  2.0+: KUBE-ROUTER-INPUT -d 10.43.0.0/16 -m comment --comment "allow traffic to primary/secondary cluster IP range - EKROEGTNIJ3AP3LC" -j RETURN
  all: KUBE-ROUTER-INPUT -p tcp -m comment --comment "allow LOCAL TCP traffic to node ports - LR7XO7NXDBGQJD2M" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
  all: KUBE-ROUTER-INPUT -p udp -m comment --comment "allow LOCAL UDP traffic to node ports - 76UCBPIZNGJNWNUZ" -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
  all: KUBE-ROUTER-INPUT -d 198.51.100.0/24 -m comment --comment "allow traffic to external IP range: 198.51.100.0/24 - AAAAAAAAAAAAAAAA" -j RETURN
  2.0+: KUBE-ROUTER-INPUT -d 198.51.100.0/24 -m comment --comment "allow traffic to load balancer IP range: 198.51.100.0/24 - AAAAAAAAAAAAAAAA" -j RETURN
  all: KUBE-ROUTER-FORWARD -d 10.42.0.5/32 -m comment --comment "rule to jump traffic destined to POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
  all: KUBE-ROUTER-OUTPUT -s 10.42.0.5/32 -m comment --comment "rule to jump traffic from POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
  all: KUBE-ROUTER-FORWARD -d 10.42.0.5/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic destined to POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
  1.3.2 to 1.5.1: KUBE-ROUTER-FORWARD -m comment --comment "rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT
  2.0.0+k3s: KUBE-ROUTER-INPUT -m comment --comment "rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j RETURN
  upstream: KUBE-ROUTER-FORWARD -m comment --comment "rule to explicitly handle traffic for network policies ACCEPT/REJECT decision" -j KUBE-NWPLCY-TAIL
  2.6+: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "common bi-directional traffic policy rules" -j KUBE-NWPLCY-COMMON
  to 2.2: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "rule for stateful firewall for pod" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  to 2.2: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "rule to drop invalid state for pod" -m conntrack --ctstate INVALID -j DROP
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -d 10.42.0.5/32 -m comment --comment "rule to permit the traffic traffic to pods when source is the pod\'s local node" -m addrtype --src-type LOCAL -j ACCEPT
  1.5.1+k3s: KUBE-POD-FW-24CAQJ4LYSAY3PHB -d 10.42.0.5/32 -m comment --comment "rule to permit the traffic to pods when source is the pod\'s local node" -m addrtype --src-type LOCAL -j ACCEPT
  2.0+: KUBE-POD-FW-24CAQJ4LYSAY3PHB -s 10.42.0.5/32 -m comment --comment "run through default egress network policy chain" -j KUBE-NWPLCY-DEFAULT
  1.x: KUBE-POD-FW-24CAQJ4LYSAY3PHB -d 10.42.0.5/32 -m comment --comment "run through default ingress network policy  chain" -j KUBE-NWPLCY-DEFAULT
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -d 10.42.0.5/32 -m comment --comment "run through nw policy deny-all" -j KUBE-NWPLCY-24CAQJ4LYSAY3PHB
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "rule to log dropped traffic POD name:web-0 namespace: default" -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/min --limit-burst 10 -j NFLOG --nflog-group 100
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "rule to REJECT traffic destined for POD name:web-0 namespace: default" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable
  early copy: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "default rule to REJECT traffic destined for POD name:web-0 namespace: default" -j REJECT --reject-with icmp-port-unreachable
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -j MARK --set-xmark 0x0/0x10000
  all: KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "set mark to ACCEPT traffic that comply to network policies" -j MARK --set-xmark 0x20000/0x20000
  all: KUBE-NWPLCY-24CAQJ4LYSAY3PHB -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name web namespace default" -m set --match-set KUBE-SRC-24CAQJ4LYSAY3PHB src -m set --match-set KUBE-DST-24CAQJ4LYSAY3PHB dst -p tcp -m tcp --dport 80:90 -j MARK --set-xmark 0x10000/0x10000
  all: KUBE-NWPLCY-24CAQJ4LYSAY3PHB -m comment --comment "rule to ACCEPT traffic from all sources to dest pods selected by policy name: web namespace default" -m set --match-set KUBE-DST-24CAQJ4LYSAY3PHB dst -m mark --mark 0x10000/0x10000 -j RETURN
  early copy: KUBE-NWPLCY-24CAQJ4LYSAY3PHB -m comment --comment "rule to ACCEPT traffic from source pods to dest pods selected by policy name web namespace default" -m set --match-set KUBE-SRC-24CAQJ4LYSAY3PHB src -j ACCEPT
  2.1+: KUBE-NWPLCY-24CAQJ4LYSAY3PHB -m comment --comment "rule to log dropped traffic" -m limit --limit 10/min --limit-burst 10 -m mark ! --mark 0x10000/0x10000 -j NFLOG --nflog-prefix "DROP by policy default/web" --nflog-group 100
  all: KUBE-NWPLCY-DEFAULT -m comment --comment "rule to mark traffic matching a network policy" -j MARK --set-xmark 0x10000/0x10000
  2.6+: KUBE-NWPLCY-COMMON -m comment --comment "\"rule to drop invalid state for pod\"" -m conntrack --ctstate INVALID -j DROP
  2.6+: KUBE-NWPLCY-COMMON -m comment --comment "\"rule for stateful firewall for pod\"" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  2.6+: KUBE-NWPLCY-COMMON -p icmp -m comment --comment "allow icmp echo requests" -m icmp --icmp-type 8 -j ACCEPT
  2.6+: KUBE-NWPLCY-COMMON -p icmp -m comment --comment "allow icmp time exceeded messages" -m icmp --icmp-type 11 -j ACCEPT
  2.6+, IPv6: KUBE-NWPLCY-COMMON -p ipv6-icmp -m comment --comment "allow icmp neighbor solicitation messages" -m icmp6 --icmpv6-type 135 -j ACCEPT
  2.6+, IPv6: KUBE-NWPLCY-COMMON -p ipv6-icmp -m comment --comment "allow icmp echo reply messages" -m icmp6 --icmpv6-type 129 -j ACCEPT
`,
);
