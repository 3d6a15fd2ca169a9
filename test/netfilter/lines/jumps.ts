import { ownedLines } from './owned-line.ts';

/** What owners write into built-in filter chains to lead to their own. */
export const filterJumps = ownedLines(
  'filter',
  `
  kube-proxy, all: INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
  kube-proxy 1.20+: FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
  kube-proxy 1.21+: INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
  kube-proxy, all: FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  kube-proxy, all: OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  kube-proxy to 1.19: INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  kube-proxy, all: FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
  kube-proxy 1.25+: INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
  kube-proxy 1.25+: OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
  kube-proxy 1.25+: FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
  kubelet, all, and kube-proxy 1.27+: INPUT -j KUBE-FIREWALL
  kubelet, all, and kube-proxy 1.27+: OUTPUT -j KUBE-FIREWALL
  ipvs, all: FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
  ipvs 1.21+: INPUT -m comment --comment "kubernetes health check rules" -j KUBE-NODE-PORT
  ipvs 1.25+: INPUT -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL
  ipvs 1.25+: FORWARD -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL
  ipvs 1.26+: INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER
  ipvs 1.29+: OUTPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-OUT-FILTER
  kube-router 1.3.2+: INPUT -m comment --comment "kube-router netpol - 4IA2OSFRMVNDXBVV" -j KUBE-ROUTER-INPUT
  kube-router 1.3.2+: FORWARD -m comment --comment "kube-router netpol - TEMCG2JMHZYE7H7T" -j KUBE-ROUTER-FORWARD
  kube-router 1.3.2+: OUTPUT -m comment --comment "kube-router netpol - VEAAIY32XVBHCSCY" -j KUBE-ROUTER-OUTPUT
  k3s' early copy: FORWARD -d 10.42.0.5/32 -m comment --comment "rule to jump traffic destined to POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
  k3s' early copy: OUTPUT -s 10.42.0.5/32 -m comment --comment "rule to jump traffic from POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
  k3s' early copy: FORWARD -d 10.42.0.5/32 -m physdev --physdev-is-bridged -m comment --comment "rule to jump traffic destined to POD name:web-0 namespace: default to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB
`,
);

/** The same for nat. */
export const natJumps = ownedLines(
  'nat',
  `
  kube-proxy, both modes: PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  kube-proxy, both modes: OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  kube-proxy, both modes, and kubelet to 1.27: POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
`,
);

/** kube-router's accept in built-in chains, which leads to no chain of its own (2.0.0+k3sr3 to 2.6.3). */
export const residueLines = ['INPUT', 'FORWARD', 'OUTPUT'].map(
  (chain) =>
    `-A ${chain} -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT`,
);
