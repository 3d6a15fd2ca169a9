import type { Corefile, Directive, ServerBlock } from './corefile.ts';

/** Files that an `import` may name, by their path as CoreDNS sees it, e.g. `/etc/coredns/custom/a.override`. */
export type CorefileFiles = ReadonlyMap<string, string>;

/** A `forward` of a server block with all imports put in, in the order in which CoreDNS asks them. */
export interface Forward {
  /** The keys of the server block it belongs to, e.g. `.:53`. */
  readonly block: ServerBlock;
  /** The zone that it forwards, e.g. `.`, without the dot at its end otherwise. */
  readonly from: string;
  readonly upstreams: readonly UpstreamName[];
  readonly tlsServerName: string | undefined;
  /** `policy`, `max_fails`, ... as written; `next` makes later forwards of the same zone reachable. */
  readonly options: readonly Directive[];
  /** Where it is written: undefined the Corefile itself, else the path of the file that was imported. */
  readonly file: string | undefined;
  readonly directive: Directive;
  /**
   * An earlier forward of this block answers for all that this one is for: it is never asked. CoreDNS
   * before 1.9.4 refuses the second one outright.
   */
  readonly isShadowed: boolean;
}

/** What stands behind the zone: an address, or a file of them like `/etc/resolv.conf`. */
export type UpstreamName =
  | {
      readonly kind: 'address';
      readonly address: string;
      readonly port: number;
      readonly protocol: 'dns' | 'tls';
      /** As written. */
      readonly text: string;
    }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** A name, a socket, gRPC, HTTPS: not understood, not asked. `why` for a person. */
  | { readonly kind: 'other'; readonly text: string; readonly why: string };

export type ResolvedForwards =
  | {
      readonly kind: 'resolved';
      readonly forwards: readonly Forward[];
      /** Imports that name a file which is not known here, and other doubts; a line each. */
      readonly doubts: readonly string[];
    }
  /** A file that is imported does not parse, or two blocks serve the same zone: CoreDNS would not start. */
  | { readonly kind: 'broken'; readonly reason: string };

/** Every forward of a Corefile, with `import` of files and snippets put in where they stand. */
export function resolveForwards(_corefile: Corefile, _files: CorefileFiles): ResolvedForwards {
  throw new Error('not built yet');
}

/**
 * Whether a `forward .` in a new file `path` would be asked: whether the block that serves the root at
 * port 53 imports it ahead of every forward of the root, in CoreDNS' own order of the files of a glob.
 */
export function wouldBeAsked(_corefile: Corefile, _files: CorefileFiles, _path: string): boolean {
  throw new Error('not built yet');
}

/** The text with the upstreams of one forward of it replaced, and no other byte changed. */
export function withUpstreams(_corefile: Corefile, _forward: Forward, _addresses: readonly string[]): string {
  throw new Error('not built yet');
}

/** The zone that `kubernetes` serves, e.g. `cluster.local`; undefined when no block has one. */
export function clusterDomain(_corefile: Corefile): string | undefined {
  throw new Error('not built yet');
}
