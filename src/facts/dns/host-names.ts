import type { Fact } from '../../engine/fact.ts';

/** A name that this host has to resolve by itself, with its own resolver (nsswitch, search list and all). */
export interface HostName {
  readonly name: string;
  /** Who needs it: `images come from there`, `the API is there`. */
  readonly why: string;
  readonly answer:
    | { readonly kind: 'resolved'; readonly addresses: readonly string[]; readonly elapsedMs: number }
    | { readonly kind: 'unresolved'; readonly reason: string };
}

/** The registries that images are pulled from, the API's names, and those of `checks.host-dns.names`. */
export const hostNamesFact: Fact<readonly HostName[]> = {
  id: 'host-names',
  async gather() {
    throw new Error('not built yet');
  },
};
