import { ownedLines } from './owned-line.ts';

/**
 * What kube-proxy writes into its own chains of the nat table in iptables mode, Kubernetes 1.19 to
 * 1.36. Read in pkg/proxy/iptables/proxier.go of each; "large" is above 1,000 endpoints.
 */
export const kubeProxyNatLines = ownedLines(
  'nat',
  `
  all: KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
  all, another mark bit: KUBE-POSTROUTING -m mark ! --mark 0x100000/0x100000 -j RETURN
  all: KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
  all: KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
  all, old iptables: KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE
  all: KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
  all: KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
  all: KUBE-SERVICES -d 10.43.0.80/32 -p sctp -m comment --comment "default/web cluster IP" -m sctp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
  all, IPv6: KUBE-SERVICES -d fd00:43::50/128 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
  1.24+: KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVL-CDGGSHYLG3RE2FKL
  to 1.21: KUBE-SERVICES ! -s 10.42.0.0/16 -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  to 1.21, masquerade all: KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  1.24+: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -j KUBE-EXT-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -j KUBE-XLB-JSLCNGWSGB5JPS5Q
  to 1.21: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  to 1.20: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.20: KUBE-SERVICES -d 198.51.100.7/32 -p tcp -m comment --comment "default/lb:http external IP" -m tcp --dport 80 -m addrtype --dst-type LOCAL -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23, 1.24+ with source ranges: KUBE-SERVICES -d 198.51.100.9/32 -p tcp -m comment --comment "default/lb:http loadbalancer IP" -m tcp --dport 80 -j KUBE-FW-JSLCNGWSGB5JPS5Q
  1.24+: KUBE-SERVICES -d 198.51.100.9/32 -p tcp -m comment --comment "default/lb:http loadbalancer IP" -m tcp --dport 80 -j KUBE-EXT-JSLCNGWSGB5JPS5Q
  all: KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
  1.26+, IPv6: KUBE-SERVICES ! -d ::1/128 -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
  1.26+, no localhost node ports: KUBE-SERVICES ! -d 127.0.0.0/8 -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
  all, node port addresses: KUBE-SERVICES -d 192.168.50.10/32 -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -j KUBE-NODEPORTS
  1.24+: KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-EXT-CDGGSHYLG3RE2FKL
  1.31+: KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -m nfacct --nfacct-name  localhost_nps_accepted_pkts -j KUBE-EXT-CDGGSHYLG3RE2FKL
  to 1.23: KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-SVC-CDGGSHYLG3RE2FKL
  to 1.23: KUBE-NODEPORTS -s 127.0.0.0/8 -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-MARK-MASQ
  to 1.23, IPv6: KUBE-NODEPORTS -s ::1/128 -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-MARK-MASQ
  to 1.23: KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-XLB-CDGGSHYLG3RE2FKL
  to 1.21: KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-MARK-MASQ
  1.22+: KUBE-SVC-CDGGSHYLG3RE2FKL ! -s 10.42.0.0/16 -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  1.24+, local traffic by bridge: KUBE-SVC-CDGGSHYLG3RE2FKL ! -i br0 -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  1.24+, local traffic by prefix: KUBE-SVL-CDGGSHYLG3RE2FKL ! -i veth+ -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  1.22-1.23: KUBE-SVC-CDGGSHYLG3RE2FKL ! -s 10.42.0.0/16 -d 198.51.100.7/32 -p tcp -m comment --comment "default/web:http external IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
  1.22-1.23: KUBE-SVC-CDGGSHYLG3RE2FKL -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 -j KUBE-MARK-MASQ
  1.24+: KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.42.0.5:8080" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-IV4V4L7CGKB7OJNB --mask 255.255.255.255 --rsource -j KUBE-SEP-IV4V4L7CGKB7OJNB
  1.24+: KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.42.0.5:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IV4V4L7CGKB7OJNB
  1.24+, IPv6: KUBE-SVL-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> [fd00:42::5]:8080" -j KUBE-SEP-IV4V4L7CGKB7OJNB
  to 1.23: KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IV4V4L7CGKB7OJNB
  all, large: KUBE-SVC-CDGGSHYLG3RE2FKL -m statistic --mode random --probability 0.00100000000 -j KUBE-SEP-IV4V4L7CGKB7OJNB
  all, large: KUBE-SVC-CDGGSHYLG3RE2FKL -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-IV4V4L7CGKB7OJNB --mask 255.255.255.255 --rsource -j KUBE-SEP-IV4V4L7CGKB7OJNB
  all, large: KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-IV4V4L7CGKB7OJNB
  1.24+, large: KUBE-SVL-CDGGSHYLG3RE2FKL -j KUBE-SEP-IV4V4L7CGKB7OJNB
  1.24: KUBE-SVL-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http has no local endpoints" -j KUBE-MARK-DROP
  all: KUBE-SEP-IV4V4L7CGKB7OJNB -s 10.42.0.5/32 -m comment --comment "default/web:http" -j KUBE-MARK-MASQ
  all: KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.42.0.5:8080
  all: KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m comment --comment "default/web:http" -m recent --set --name KUBE-SEP-IV4V4L7CGKB7OJNB --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.42.0.5:8080
  all, IPv6: KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination [fd00:42::5]:8080
  all, large: KUBE-SEP-IV4V4L7CGKB7OJNB -s 10.42.0.5/32 -j KUBE-MARK-MASQ
  all, large: KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:8080
  all, large: KUBE-SEP-IV4V4L7CGKB7OJNB -p tcp -m recent --set --name KUBE-SEP-IV4V4L7CGKB7OJNB --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.42.0.5:8080
  1.24+: KUBE-FW-JSLCNGWSGB5JPS5Q -s 203.0.113.0/24 -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-EXT-JSLCNGWSGB5JPS5Q
  1.24-1.33, any source: KUBE-FW-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-EXT-JSLCNGWSGB5JPS5Q
  1.27+: KUBE-FW-JSLCNGWSGB5JPS5Q -m comment --comment "other traffic to default/lb:http will be dropped by KUBE-PROXY-FIREWALL"
  to 1.24: KUBE-FW-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-MARK-DROP
  to 1.23: KUBE-FW-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-MARK-MASQ
  to 1.23: KUBE-FW-JSLCNGWSGB5JPS5Q -s 203.0.113.0/24 -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-FW-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http loadbalancer IP" -j KUBE-XLB-JSLCNGWSGB5JPS5Q
  1.24+: KUBE-EXT-CDGGSHYLG3RE2FKL -m comment --comment "masquerade traffic for default/web:http external destinations" -j KUBE-MARK-MASQ
  1.24+: KUBE-EXT-JSLCNGWSGB5JPS5Q -s 10.42.0.0/16 -m comment --comment "pod traffic for default/lb:http external destinations" -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  1.24+: KUBE-EXT-JSLCNGWSGB5JPS5Q -m comment --comment "masquerade LOCAL traffic for default/lb:http external destinations" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
  1.24+: KUBE-EXT-JSLCNGWSGB5JPS5Q -m comment --comment "route LOCAL traffic for default/lb:http external destinations" -m addrtype --src-type LOCAL -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  1.24+: KUBE-EXT-JSLCNGWSGB5JPS5Q -j KUBE-SVL-JSLCNGWSGB5JPS5Q
  1.24+: KUBE-EXT-JSLCNGWSGB5JPS5Q -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -s 10.42.0.0/16 -m comment --comment "Redirect pods trying to reach external loadbalancer VIP to clusterIP" -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "masquerade LOCAL traffic for default/lb:http LB IP" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
  to 1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "route LOCAL traffic for default/lb:http LB IP to service chain" -m addrtype --src-type LOCAL -j KUBE-SVC-JSLCNGWSGB5JPS5Q
  to 1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http has no local endpoints" -j KUBE-MARK-DROP
  to 1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-J3EFKUSENKWOYDGH --mask 255.255.255.255 --rsource -j KUBE-SEP-J3EFKUSENKWOYDGH
  to 1.22: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "Balancing rule 0 for default/lb:http" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-J3EFKUSENKWOYDGH
  1.23: KUBE-XLB-JSLCNGWSGB5JPS5Q -m comment --comment "default/lb:http" -j KUBE-SEP-J3EFKUSENKWOYDGH
  1.23, large: KUBE-XLB-JSLCNGWSGB5JPS5Q -j KUBE-SEP-J3EFKUSENKWOYDGH
`,
);
