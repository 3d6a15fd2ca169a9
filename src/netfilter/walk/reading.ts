import type { Backend, Family, Ruleset } from '../ruleset.ts';

/** All that a walk needs to know of a node. What is `unknown` makes the walks unknown that come across it. */
export interface FirewallReading {
  readonly iptables: Readonly<Record<Backend, Readonly<Record<Family, DumpReadingState>>>>;
  /** What `nft -j list ruleset` prints, parsed; tables that iptables-nft made are among it, big ones in part. */
  readonly nft: NftReadingState;
  /** Sets of ipset(8), by name. */
  readonly sets: SetsReadingState;
  readonly network: NetworkReading;
  /** Which backend's nat table is asked first, where both have one; undefined: not known, both orders are walked. */
  readonly natFirst: Readonly<Record<Family, Backend | undefined>>;
}

export type DumpReadingState =
  | { readonly kind: 'present'; readonly ruleset: Ruleset }
  /** Nothing of it is in the kernel. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type NftReadingState =
  /**
   * `objects`: the list below `nftables` in the JSON, unchecked. Of a big table (more than 10,000 rules) that
   * iptables-nft has dumped, it has the built-in chains alone: what else is in there only the dump says.
   */
  | { readonly kind: 'present'; readonly objects: readonly unknown[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type SetsReadingState =
  | { readonly kind: 'present'; readonly sets: ReadonlyMap<string, IpSet> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** As `ipset save` prints it. */
export interface IpSet {
  readonly name: string;
  /** `hash:ip`, `hash:net`, `hash:ip,port`, `list:set`, ... */
  readonly type: string;
  readonly family: Family;
  /** Words after the type: `family`, `inet`, `hashsize`, ... */
  readonly options: readonly string[];
  /** One for each `add`: the element, then its words (`nomatch`, `timeout`, ...). */
  readonly entries: readonly (readonly string[])[];
}

/** Links, addresses and routes. Undefined: could not be read. */
export interface NetworkReading {
  readonly links: readonly Link[] | undefined;
  /** Of all tables, both families. */
  readonly routes: readonly Route[] | undefined;
  /** True where policy routing goes beyond the kernel's own three rules: routes alone say little then. */
  readonly policyRouting: boolean | undefined;
  /** sysctl ip_forward and ipv6 conf/all/forwarding. */
  readonly forwarding: Readonly<Record<Family, boolean | undefined>>;
  /** sysctl ipv4 conf/all/route_localnet; absent: not known, or it differs from link to link. */
  readonly routesLoopback?: boolean;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `vxlan`, `bridge`, `veth`, `wireguard`, ...; undefined for a plain one. */
  readonly kind: string | undefined;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  readonly mac: string | undefined;
  /** The bridge it is a port of. */
  readonly master: string | undefined;
  readonly addresses: readonly LinkAddress[];
}

export interface LinkAddress {
  readonly family: Family;
  readonly address: string;
  readonly prefixLength: number;
  readonly broadcast: string | undefined;
  readonly scope: string;
}

export interface Route {
  readonly family: Family;
  /** `main`, `local`, `default`, or another one's name or number. */
  readonly table: string;
  /** `unicast`, `local`, `broadcast`, `multicast`, `blackhole`, `unreachable`, `prohibit`, ... */
  readonly type: string;
  /** `ADDRESS/LENGTH`; `0.0.0.0/0` and `::/0` for the default. */
  readonly destination: string;
  readonly link: string | undefined;
  readonly gateway: string | undefined;
  readonly preferredSource: string | undefined;
  readonly metric: number;
}
