import type { NodeAddresses } from '../node/boot-script.ts';
import type { LabNode } from '../node/start-node.ts';

/** What Flannel knows of a node. */
export interface OverlaySpec {
  readonly hostname: string;
  readonly addresses: NodeAddresses;
  readonly podCidr: string;
  readonly podCidr6: string;
  /** Of the VXLAN devices: the first address of the pods' network, and a hardware address. */
  readonly vtep: string;
  readonly vtep6: string;
  readonly vtepMac: string;
  readonly vtepMac6: string;
  readonly isDualStack: boolean;
  readonly isServer: boolean;
}

export interface OverlayMember extends LabNode, OverlaySpec {}

export const clusterCidr = '10.42.0.0/16';
export const clusterCidr6 = 'fd00:42::/56';

/** Node 1: 192.168.60.11, fd00:60::11, pods in 10.42.1.0/24 and fd00:42:0:1::/64. It is the server. */
export function specOf(number: 1 | 2, isDualStack: boolean): OverlaySpec {
  return {
    hostname: `node-${number}`,
    addresses: {
      eth0: { ipv4: `192.168.60.1${number}`, ipv6: `fd00:60::1${number}` },
      cni0: { ipv4: `10.42.${number}.1`, ipv6: `fd00:42:0:${number}::1` },
    },
    podCidr: `10.42.${number}.0/24`,
    podCidr6: `fd00:42:0:${number}::/64`,
    vtep: `10.42.${number}.0`,
    vtep6: `fd00:42:0:${number}::`,
    vtepMac: `0e:00:00:00:00:0${number}`,
    vtepMac6: `0e:00:00:00:06:0${number}`,
    isDualStack,
    isServer: number === 1,
  };
}
