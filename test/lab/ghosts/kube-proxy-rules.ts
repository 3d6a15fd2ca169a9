/**
 * ghosts/: the main job on the real kernel. Every test has a node of its own, puts rules on it as
 * Kubernetes would, runs the command, and looks at the kernel and at real traffic afterwards.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';

export interface Service {
  /** `namespace/name:port`. */
  readonly name: string;
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** `address:port`; without any, connections are rejected in filter. */
  readonly endpoints: readonly string[];
}

/** kubelet's mark of the backend that it writes to; the second one is older. */
export type KubeletMark = 'KUBE-IPTABLES-HINT' | 'KUBE-KUBELET-CANARY';

/** What kube-proxy 1.26 and later writes for these Services, all of one family, as input of a full restore. */
export function kubeProxyRules(services: readonly Service[], mark?: KubeletMark): string {
  const nat = services.filter(({ endpoints }) => endpoints.length > 0).map(natLines);
  return [
    ...['*mangle', builtIn('PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING')],
    ...[...(mark === undefined ? [] : [mark]), 'KUBE-PROXY-CANARY'].map(declare),
    'COMMIT',
    ...['*filter', builtIn('INPUT', 'FORWARD', 'OUTPUT'), filterScaffold],
    ...services.filter(({ endpoints }) => endpoints.length === 0).map(rejection),
    'COMMIT',
    ...['*nat', builtIn('PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING')],
    ...nat.flatMap(({ chains }) => chains.map(declare)),
    natScaffold,
    ...nat.flatMap(({ rules }) => rules),
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    'COMMIT',
    '',
  ].join('\n');
}

/** The batch with which kube-proxy writes the nat rules of these Services again; for `--noflush`. */
export function kubeProxySync(services: readonly Service[]): string {
  const nat = services.map(natLines);
  return [
    '*nat',
    declare('KUBE-SERVICES'),
    ...nat.flatMap(({ chains }) => chains.map(declare)),
    ...nat.flatMap(({ rules }) => rules),
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    'COMMIT',
    '',
  ].join('\n');
}

function natLines({ name, protocol = 'tcp', address, port, endpoints }: Service) {
  const service = `KUBE-SVC-${hash(name + protocol)}`;
  const asked = `-d ${address}/${isIPv6(address) ? 128 : 32} -p ${protocol} -m comment --comment "${name} cluster IP" -m ${protocol} --dport ${port}`;
  const podNetwork = isIPv6(address) ? 'fd00:42::/56' : '10.42.0.0/16';
  const chains = [service];
  const rules = [
    `-A KUBE-SERVICES ${asked} -j ${service}`,
    `-A ${service} ! -s ${podNetwork} ${asked} -j KUBE-MARK-MASQ`,
  ];
  for (const [index, endpoint] of endpoints.entries()) {
    const chain = `KUBE-SEP-${hash(name + protocol + endpoint)}`;
    const left = endpoints.length - index;
    const share = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(11)}`;
    const host = endpoint.replace(/:\d+$/, '').replace(/[[\]]/g, '');
    chains.push(chain);
    rules.push(
      `-A ${service} -m comment --comment "${name} -> ${endpoint}"${share} -j ${chain}`,
      `-A ${chain} -s ${host} -m comment --comment "${name}" -j KUBE-MARK-MASQ`,
      `-A ${chain} -p ${protocol} -m comment --comment "${name}" -m ${protocol} -j DNAT --to-destination ${endpoint}`,
    );
  }
  return { chains, rules };
}

function rejection({ name, protocol = 'tcp', address, port }: Service): string {
  const kind = isIPv6(address) ? 'icmp6-port-unreachable' : 'icmp-port-unreachable';
  return `-A KUBE-SERVICES -d ${address} -p ${protocol} -m comment --comment "${name} has no endpoints" -m ${protocol} --dport ${port} -j REJECT --reject-with ${kind}`;
}

/** The names of kube-proxy's chains follow from what they are for. */
function hash(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...createHash('sha256').update(text).digest().subarray(0, 10)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
}

function builtIn(...chains: readonly string[]): string {
  return chains.map((chain) => `:${chain} ACCEPT [0:0]`).join('\n');
}

function declare(chain: string): string {
  return `:${chain} - [0:0]`;
}

const filterScaffold = `
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
`.trim();

const natScaffold = `
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
`.trim();
