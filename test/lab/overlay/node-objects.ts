import type { OverlaySpec } from './overlay-member.ts';

/** What the API answers to `/api/v1/nodes`: names, addresses, pod networks, roles, Flannel's annotations. */
export function nodeList(members: readonly OverlaySpec[]): object {
  return {
    kind: 'NodeList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '1' },
    items: members.map(nodeObject),
  };
}

/** As k3s and its Flannel write it, without what nobody reads here. */
function nodeObject({ hostname, addresses, podCidr, podCidr6, ...spec }: OverlaySpec): object {
  const { isDualStack, isServer, vtepMac, vtepMac6 } = spec;
  const flannel = {
    'backend-data': JSON.stringify({ VNI: 1, VtepMAC: vtepMac }),
    'backend-type': 'vxlan',
    'kube-subnet-manager': 'true',
    'public-ip': addresses.eth0.ipv4,
    ...(isDualStack && {
      'backend-v6-data': JSON.stringify({ VNI: 1, VtepMAC: vtepMac6 }),
      'public-ipv6': addresses.eth0.ipv6,
    }),
  };
  const role = 'node-role.kubernetes.io/control-plane';
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      name: hostname,
      annotations: Object.fromEntries(
        Object.entries(flannel).map(([key, value]) => [`flannel.alpha.coreos.com/${key}`, value]),
      ),
      labels: { 'kubernetes.io/hostname': hostname, ...(isServer && { [role]: 'true' }) },
    },
    spec: { podCIDR: podCidr, podCIDRs: isDualStack ? [podCidr, podCidr6] : [podCidr] },
    status: {
      addresses: [
        { type: 'InternalIP', address: addresses.eth0.ipv4 },
        ...(isDualStack ? [{ type: 'InternalIP', address: addresses.eth0.ipv6 }] : []),
        { type: 'Hostname', address: hostname },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { kubeletVersion: 'v1.35.3+k3s1' },
    },
  };
}
