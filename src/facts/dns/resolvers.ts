import type { Fact } from '../../engine/fact.ts';

/** A file like /etc/resolv.conf. */
export type ResolvConf =
  | {
      readonly kind: 'read';
      readonly path: string;
      /** As written, in their order; of glibc's three no notice is taken. */
      readonly nameservers: readonly string[];
      /** The first nameserver that k3s does not take: loopback, link-local, with a zone, no address. */
      readonly unfit: string | undefined;
    }
  | { readonly kind: 'absent'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string };

/** Which servers this machine, and k3s for its pods, are told to ask. */
export interface Resolvers {
  /** /etc/resolv.conf */
  readonly host: ResolvConf;
  /** /run/systemd/resolve/resolv.conf: what systemd-resolved asks in turn. */
  readonly resolved: ResolvConf;
  /**
   * The file that kubelet gives to pods with `dnsPolicy: Default`, as k3s chooses it at its start (its option
   * `resolv-conf`, else the first fit file of the host, else one of its own with 8.8.8.8).
   */
  readonly kubelet:
    | {
        readonly kind: 'known';
        readonly by: 'option' | 'host' | 'fallback';
        /** Where the option is set, for `option`. */
        readonly from: string | undefined;
        readonly conf: ResolvConf;
      }
    | { readonly kind: 'unknown'; readonly reason: string };
  /** Servers that the network gave this host (DHCP leases), with the file that says so. */
  readonly leased: readonly { readonly address: string; readonly file: string }[];
}

export const resolversFact: Fact<Resolvers> = {
  id: 'resolvers',
  async gather() {
    throw new Error('not built yet');
  },
};

/** Processes of CoreDNS on this node, and what resolv.conf each sees. */
export interface LocalCoreDns {
  readonly processes: readonly {
    readonly pid: number;
    /** Of the pod, where the API's container id is in the process's cgroup. */
    readonly pod: string | undefined;
    /** /proc/PID/root/etc/resolv.conf */
    readonly resolvConf: ResolvConf;
  }[];
}

export const localCoreDnsFact: Fact<LocalCoreDns> = {
  id: 'local-coredns',
  async gather() {
    throw new Error('not built yet');
  },
};
