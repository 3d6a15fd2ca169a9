import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';

/** The pods' network as it is on this node: what Flannel wrote down, else what the links and the API say. */
export type PodNetwork =
  | {
      readonly kind: 'known';
      /** Of this node, e.g. `10.42.0.0/24`; at most one for each family. */
      readonly podCidrs: readonly string[];
      /** Of all nodes, e.g. `10.42.0.0/16`; at most one for each family. */
      readonly clusterCidrs: readonly string[];
      /** The pods' bridge, `cni0`. */
      readonly bridge: string;
      /** The links to the other nodes' pods that are there: `flannel.1`, `flannel-v6.1`, `flannel-wg`, ... */
      readonly overlayLinks: readonly string[];
      readonly mtu: number | undefined;
      readonly source: string;
    }
  /** Neither k3s nor a pod network is on this machine. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export const podNetworkFact: Fact<PodNetwork> = {
  id: 'pod-network',
  gather() {
    throw new DoctorError('undetermined', 'not built yet');
  },
};
