import type { Fact } from '../../engine/fact.ts';

/** What of CoreDNS lies on this machine's disk, where a k3s server puts it back at each of its starts. */
export interface Packaged {
  /** Whether this node runs a k3s server: its folder of manifests is there. */
  readonly isServer: boolean;
  /** The folder: `/var/lib/rancher/k3s/server/manifests`. */
  readonly folder: string;
  /** `coredns.yaml` there, as k3s wrote it; undefined: not there, or it cannot be read. */
  readonly manifest: string | undefined;
  /** The Corefile in it, as k3s would apply it. */
  readonly corefile: string | undefined;
  /** `coredns.yaml.skip` is there: k3s leaves the manifest alone. */
  readonly isSkipped: boolean;
  /** Our own manifest in its place, by its content; null: there is none. */
  readonly ownManifest: string | null;
  /** What k3s' `resolv-conf` points to if we have set it, and the file that sets it; null: not there. */
  readonly ownResolvConf: string | null;
  readonly ownDropIn: string | null;
  /** CoreDNS was switched off (`--disable=coredns`): what runs is somebody's own. */
  readonly isDisabled: boolean;
}

/** Beside k3s' own. Its first word up to the dot is the name of its AddOn. */
export const ownManifestName = 'coredns-k3s-doctor.yaml';
export const ownResolvConfPath = '/etc/rancher/k3s/k3s-doctor-resolv.conf';
export const ownDropInPath = '/etc/rancher/k3s/config.yaml.d/50-k3s-doctor.yaml';

export const packagedFact: Fact<Packaged> = {
  id: 'packaged-coredns',
  async gather() {
    throw new Error('not built yet');
  },
};
