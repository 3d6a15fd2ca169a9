import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';

/** The nodes of the cluster, as the API has them. */
export type ClusterNodes =
  | {
      readonly kind: 'known';
      readonly nodes: readonly NodeFacts[];
      /** The one that this is, by its name or its addresses; undefined: none of them. */
      readonly self: NodeFacts | undefined;
      readonly source: string;
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface NodeFacts {
  readonly name: string;
  readonly ready: boolean;
  /** Of both families, as the node told the API. */
  readonly internalAddresses: readonly string[];
  readonly externalAddresses: readonly string[];
  readonly podCidrs: readonly string[];
  readonly controlPlane: boolean;
  readonly etcd: boolean;
  /** Annotations `flannel.alpha.coreos.com/*`. */
  readonly flannel: {
    /** `vxlan`, `host-gw`, `wireguard`, ...; undefined: no Flannel there. */
    readonly backend: string | undefined;
    readonly publicIp: string | undefined;
    readonly publicIpv6: string | undefined;
    readonly publicIpOverwrite: string | undefined;
    /** Of the VXLAN device, from `backend-data`. */
    readonly vtepMac: string | undefined;
    readonly vtepMacV6: string | undefined;
  };
}

export const clusterNodesFact: Fact<ClusterNodes> = {
  id: 'cluster-nodes',
  gather() {
    throw new DoctorError('undetermined', 'not built yet');
  },
};
