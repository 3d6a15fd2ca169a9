import { parseRuleset } from '../../src/netfilter/parse-ruleset.ts';
import type { Backend } from '../../src/netfilter/ruleset.ts';
import type { DumpReadingState, FirewallReading, NetworkReading } from '../../src/netfilter/walk/reading.ts';

export type Family = 'ipv4' | 'ipv6';

export interface ReadingTexts {
  readonly network: NetworkReading;
  /** By backend and family: `nft ipv4`. What is left out is not in the kernel. */
  readonly dumps?: Partial<Readonly<Record<`${Backend} ${Family}`, string>>>;
  /** Of `nft -j list ruleset`, besides what iptables-nft has. */
  readonly nft?: readonly unknown[];
  /** Why nft could not be asked. */
  readonly nftUnknown?: string;
}

/** A node's rules, by hand. */
export function parseReading({ network, dumps = {}, nft, nftUnknown }: ReadingTexts): FirewallReading {
  const state = (backend: Backend, family: Family): DumpReadingState => {
    const text = dumps[`${backend} ${family}`];
    if (text === undefined) return { kind: 'absent' };
    const parsed = parseRuleset(text);
    if (parsed.kind !== 'parsed') throw new Error(`line ${parsed.line}: ${parsed.reason}`);
    return { kind: 'present', ruleset: parsed.ruleset };
  };
  const both = (backend: Backend) => ({ ipv4: state(backend, 'ipv4'), ipv6: state(backend, 'ipv6') });
  return {
    iptables: { legacy: both('legacy'), nft: both('nft') },
    nft: nftUnknown
      ? { kind: 'unknown', reason: nftUnknown }
      : nft === undefined
        ? { kind: 'absent' }
        : { kind: 'present', objects: nft },
    sets: { kind: 'absent' },
    network,
    natFirst: { ipv4: undefined, ipv6: undefined },
  };
}
