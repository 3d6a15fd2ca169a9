/**
 * Whose chain a name says it is. A name alone proves nothing: see `proveTable` for the proof.
 *
 * Sources: kube-proxy pkg/proxy/iptables and pkg/proxy/ipvs, kubelet kubelet_network_linux.go,
 * kube-router pkg/controllers/netpol, containernetworking/plugins plugins/meta/portmap.
 */
export type ChainOwner =
  | 'kube-proxy'
  | 'kubelet'
  | 'network-policy'
  /** One sandbox's host ports. */
  | 'portmap-sandbox'
  /** portmap's own scaffolding, empty on a healthy node too: never a ghost. */
  | 'portmap';

export function chainOwner(name: string): ChainOwner | undefined {
  if (name.startsWith('KUBE-')) return kubeOwner(name);
  if (/^CNI-DN-[0-9a-f]{21}$/.test(name)) return 'portmap-sandbox';
  if (portmapChains.has(name)) return 'portmap';
  return undefined;
}

/** `SVC`, `SEP`, ... of a chain named after a Service port or an endpoint. */
export function serviceChainKind(name: string): ServiceChainKind | undefined {
  switch (/^KUBE-(SVC|SVL|EXT|FW|XLB|SEP)-[A-Z2-7]{16}$/.exec(name)?.[1]) {
    case 'SVC':
      return 'SVC';
    case 'SVL':
      return 'SVL';
    case 'EXT':
      return 'EXT';
    case 'FW':
      return 'FW';
    case 'XLB':
      return 'XLB';
    case 'SEP':
      return 'SEP';
    default:
      return undefined;
  }
}

export type ServiceChainKind = 'SVC' | 'SVL' | 'EXT' | 'FW' | 'XLB' | 'SEP';

function kubeOwner(name: string): ChainOwner | undefined {
  if (serviceChainKind(name) || kubeProxyChains.has(name)) return 'kube-proxy';
  if (kubeletChains.has(name)) return 'kubelet';
  if (
    /^KUBE-(ROUTER-(INPUT|FORWARD|OUTPUT)|POD-FW-[A-Z2-7]{16}|NWPLCY-([A-Z2-7]{16}|DEFAULT|COMMON|TAIL))$/.test(
      name,
    )
  ) {
    return 'network-policy';
  }
  return undefined;
}

const kubeProxyChains = new Set([
  'KUBE-SERVICES',
  'KUBE-NODEPORTS',
  'KUBE-POSTROUTING',
  'KUBE-MARK-MASQ',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-FORWARD',
  'KUBE-PROXY-FIREWALL',
  'KUBE-PROXY-CANARY',
  // ipvs mode
  'KUBE-NODE-PORT',
  'KUBE-LOAD-BALANCER',
  'KUBE-SOURCE-RANGES-FIREWALL',
  'KUBE-IPVS-FILTER',
  'KUBE-IPVS-OUT-FILTER',
]);

const kubeletChains = new Set([
  'KUBE-KUBELET-CANARY',
  'KUBE-IPTABLES-HINT',
  'KUBE-FIREWALL',
  'KUBE-MARK-DROP',
]);

const portmapChains = new Set([
  'CNI-HOSTPORT-DNAT',
  'CNI-HOSTPORT-SETMARK',
  'CNI-HOSTPORT-MASQ',
  'CNI-HOSTPORT-SNAT',
]);
