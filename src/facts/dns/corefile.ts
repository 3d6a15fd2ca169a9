import type { Corefile } from '../../coredns/corefile.ts';
import type { CorefileFiles, Forward } from '../../coredns/forwards.ts';
import type { Fact } from '../../engine/fact.ts';

/** The live Corefile, read as CoreDNS would. */
export type LiveCorefile =
  | {
      readonly kind: 'read';
      readonly corefile: Corefile;
      /** The keys of `coredns-custom` (`/etc/coredns/custom/KEY`), NodeHosts. */
      readonly files: CorefileFiles;
      readonly forwards: readonly Forward[];
      readonly doubts: readonly string[];
      /** Of the cluster, e.g. `cluster.local`. */
      readonly domain: string;
    }
  /** CoreDNS would not start with it. `file`: undefined for the Corefile itself. */
  | { readonly kind: 'broken'; readonly reason: string; readonly file: string | undefined }
  /** There is no ConfigMap `coredns`, or it holds no Corefile. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export const liveCorefileFact: Fact<LiveCorefile> = {
  id: 'live-corefile',
  async gather() {
    throw new Error('not built yet');
  },
};
