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

/** Kept small: there are four of these for each Service. */
export interface Chain {
  readonly name: string;
  /** `ACCEPT`, `DROP`, ... of a built-in chain; `-` for a chain somebody made. */
  readonly policy: string;
  /** Where the dump declares it. */
  readonly declaredAt: number;
  /** Where its rules begin and end in the dump. */
  readonly begin: number;
  readonly end: number;
  /** More such pairs, in a dump that does not keep a chain's rules together. */
  readonly more: readonly number[] | undefined;
  readonly ruleCount: number;
}

export function isBuiltIn(chain: Chain): boolean {
  return chain.policy !== '-';
}

/** The line that declares a chain: `:NAME POLICY [packets:bytes]`. */
export function declarationLine(ruleset: Ruleset, chain: Chain): string {
  const end = ruleset.text.indexOf('\n', chain.declaredAt);
  return ruleset.text.slice(chain.declaredAt, end);
}

/** The lines of a chain's rules as printed, counters included, without line ends. */
export function* ruleLines({ text }: Ruleset, chain: Chain): Generator<string> {
  const spans = [chain.begin, chain.end, ...(chain.more ?? [])];
  for (let i = 0; i + 1 < spans.length; i += 2) {
    let at = spans[i] ?? 0;
    const end = spans[i + 1] ?? 0;
    while (at < end) {
      const newline = text.indexOf('\n', at);
      const stop = newline === -1 || newline > end ? end : newline;
      if (stop > at) yield text.slice(at, stop);
      at = stop + 1;
    }
  }
}
