/**
 * netfilter/: ruleset text to model and back, who owns a chain, what a change looks like as a
 * restore batch. Pure: strings in, data out; nothing here reads the machine.
 *
 * A dump of 20,000 services is 29 MB, so the model keeps the text and remembers where each chain's
 * rules are; a rule becomes an object only when somebody asks for it.
 */
export type Backend = 'legacy' | 'nft';
export type Family = 'ipv4' | 'ipv6';

export const backends = ['legacy', 'nft'] as const satisfies readonly Backend[];
export const families = ['ipv4', 'ipv6'] as const satisfies readonly Family[];

/** One `iptables-save` dump: one backend, one family, every table it printed. */
export interface Ruleset {
  readonly text: string;
  readonly tables: ReadonlyMap<string, Table>;
  /** Tables that the tool refused to print because they hold rules only `nft` can express. */
  readonly unreadable: readonly string[];
}

export interface Table {
  readonly name: string;
  /** In the order of their declaration. */
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Chain {
  readonly name: string;
  /** `ACCEPT`, `DROP`, ... of a built-in chain; `-` for a chain somebody made. */
  readonly policy: string;
  /** As printed: `[packets:bytes]`. */
  readonly counters: string;
  /** Offsets into the dump's text, begin and end in turn; more than one pair only if the dump is not grouped. */
  readonly spans: readonly number[];
  readonly ruleCount: number;
}

export function isBuiltIn(chain: Chain): boolean {
  return chain.policy !== '-';
}

/** The lines of a chain's rules as printed, counters included, without line ends. */
export function* ruleLines(ruleset: Ruleset, chain: Chain): Generator<string> {
  for (let i = 0; i + 1 < chain.spans.length; i += 2) {
    let at = chain.spans[i] ?? 0;
    const end = chain.spans[i + 1] ?? 0;
    while (at < end) {
      const newline = ruleset.text.indexOf('\n', at);
      const stop = newline === -1 || newline > end ? end : newline;
      if (stop > at) yield ruleset.text.slice(at, stop);
      at = stop + 1;
    }
  }
}
