import type { Backend, Family } from '../ruleset.ts';
import type { Packet } from './packet.ts';

/** What becomes of a packet. */
export interface Walk {
  /**
   * `pass`: it is delivered, forwarded or sent, whatever chance decides. `depends`: some ends pass and
   * others do not (a limit, a random choice, the past). `unknown`: a rule that could not be evaluated
   * decides; `ends` name it in their assumptions.
   */
  readonly verdict: 'pass' | 'drop' | 'reject' | 'depends' | 'unknown';
  /** All that may come of it, the likeliest first where that can be told; one where nothing is open. */
  readonly ends: readonly End[];
}

export interface End {
  readonly fate: 'pass' | 'drop' | 'reject';
  /** `in`: to a process of the node. Undefined when it was stopped before that was known. */
  readonly way: 'in' | 'forward' | 'out' | undefined;
  /** Who decided: the rule or policy that stopped it; of one that passes, the last that accepted it in a filter. */
  readonly decidedBy: Decision;
  /** Each rule that mattered, in order: jumps, translations, marks, verdicts. Logging and counting is left out. */
  readonly path: readonly Visit[];
  /** Addresses, ports, mark and links as they are at the end. */
  readonly packet: Packet;
  /** Set where its destination was translated: the rule that did it is in the path. */
  readonly destinationTranslated: boolean;
  readonly sourceTranslated: boolean;
  /** What had to be supposed for this end: chances, and conditions that could not be evaluated. */
  readonly assumptions: readonly Assumption[];
}

export type Decision =
  | { readonly kind: 'rule'; readonly rule: RuleRef; readonly rejectWith?: string }
  | { readonly kind: 'policy'; readonly chain: ChainRef }
  /** No rule stands in its way. */
  | { readonly kind: 'nothing' }
  /** Not by a rule: `no route to ...`, `forwarding is off`. */
  | { readonly kind: 'kernel'; readonly reason: string };

/** `native`: a table that no iptables made. */
export interface ChainRef {
  readonly backend: Backend | 'native';
  /** Of the packet for iptables; `inet`, `bridge`, `netdev` too for native tables. */
  readonly family: Family | 'inet' | 'bridge' | 'netdev' | 'arp';
  readonly table: string;
  readonly chain: string;
}

export interface RuleRef extends ChainRef {
  /** From 1, within its chain. */
  readonly number: number;
  /** As iptables-save prints it without counters, or as nft would in one line. */
  readonly text: string;
}

export interface Visit {
  /** Where it was asked. */
  readonly hook?: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly rule: RuleRef;
  /** `jump to CHAIN`, `accept`, `drop`, `reject with X`, `to 10.42.0.9:80`, `from 192.0.2.1`, `mark 0x4000`, `return`. */
  readonly action: string;
}

export interface Assumption {
  /** Number 0: no rule, but the chain, the table or the dump as a whole, or (all empty) the node's own routes. */
  readonly rule: RuleRef;
  /** `chance`: the rule itself leaves it open. `unknown`: this tool cannot tell. */
  readonly kind: 'chance' | 'unknown';
  /** One line: `limit: avg 3/min burst 10`, `match --string is not understood`. */
  readonly reason: string;
}
