import type { Packet } from './packet.ts';
import type { Assumption, ChainRef, RuleRef, Visit } from './walk.ts';

/**
 * A packet under way. Immutable; a rule that changes it makes another one (`start-flight.ts`). Where it
 * has been and what was supposed for it is kept beside it by whoever follows it through a chain.
 */
export interface Flight {
  /** As it is now; addresses as `printAddress` has them, the flags of a TCP packet filled in. */
  readonly packet: Packet;
  /** 4 or 16 bytes. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Undefined: it has none yet (on the way out, before routing), or it is not known (`linkUnknown`). */
  readonly inLink: string | undefined;
  readonly outLink: string | undefined;
  /** True where there is a link and nobody knows which. A packet that comes in is not from a loopback link then. */
  readonly inLinkUnknown: boolean;
  readonly outLinkUnknown: boolean;
  readonly mark: number;
  readonly connectionMark: number;
  /** Where it was sent to first, and where it came from, before any translation. */
  readonly original: Packet;
  readonly destinationTranslated: boolean;
  readonly sourceTranslated: boolean;
}

/** The newest visit first, so that flights share their past. */
export interface VisitList {
  readonly visit: Visit;
  readonly before: VisitList | undefined;
}

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** A rule made ready to be asked. iptables and nft rules look alike from here on. */
export interface CompiledRule {
  readonly ref: RuleRef;
  /** The only destination address, as printed, that it is for: it need not be asked about others. */
  readonly onlyFor?: string;
  /**
   * What may become of a flight at this rule: one branch where that is certain, else the likeliest first.
   * A branch that was supposed says so in its `assumption`, and so does its opposite.
   */
  follow(flight: Flight, at: Place): readonly Branch[];
}

/** Where the rule is asked. */
export interface Place {
  readonly hook: Hook;
  /** False in raw, before conntrack has looked: no state, no connection mark is known there. */
  readonly tracked: boolean;
}

export interface Branch {
  /** The same object where nothing was changed. Its path and assumptions are kept by whoever follows the branch. */
  readonly flight: Flight;
  readonly next: Next;
  readonly assumption?: Assumption;
  /** What the path says of it; undefined: not worth a line. */
  readonly action?: string;
}

export type Next =
  | { readonly kind: 'continue' | 'accept' | 'drop' | 'return' }
  | { readonly kind: 'reject'; readonly with: string }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** Translated by a nat rule: as accept, but the connection has its mapping. */
  | { readonly kind: 'translated' };

/** What one table does at one hook. */
export interface BaseChain {
  readonly ref: ChainRef;
  readonly hook: Hook;
  readonly type: 'filter' | 'nat' | 'route';
  /** As the kernel orders them: raw -300, mangle -150, dstnat -100, filter 0, security 50, srcnat 100. */
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** Undefined: there is no such chain. Compiled when first asked for, kept then. */
  rules(chain: string): readonly CompiledRule[] | undefined;
  /** Of any chain of this table, for the path. */
  refOf(chain: string): ChainRef;
}
