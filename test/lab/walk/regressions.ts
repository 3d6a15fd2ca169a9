/** What the walk once got wrong: seeds of scenarios, and why each is kept. */
import type { EraOptions } from './era-report.ts';

export interface Regression {
  readonly kind: NonNullable<EraOptions['kind']>;
  readonly seed: number;
  readonly precedence: NonNullable<EraOptions['precedence']>;
  readonly why: string;
}

const nftFirst = 'nft first';
const legacyFirst = 'legacy first';

export const regressions: readonly Regression[] = [
  {
    kind: 'random',
    seed: 771,
    precedence: nftFirst,
    why: '127.0.0.1, translated in OUTPUT, is lost there: the REJECT in filter is not asked',
  },
  {
    kind: 'random',
    seed: 261,
    precedence: legacyFirst,
    why: '127.0.0.1 does not leave over another link without route_localnet',
  },
  {
    kind: 'random',
    seed: 143,
    precedence: nftFirst,
    why: 'MASQUERADE over lo takes an address of another link',
  },
  {
    kind: 'random',
    seed: 124,
    precedence: nftFirst,
    why: 'MASQUERADE --random changes the source port',
  },
  {
    kind: 'native',
    seed: 7,
    precedence: nftFirst,
    why: 'hash:net,iface: the longest network decides, whatever its interfaces',
  },
  {
    kind: 'native',
    seed: 63,
    precedence: nftFirst,
    why: '::1 does leave over another link when it is translated',
  },
  {
    kind: 'native',
    seed: 79,
    precedence: nftFirst,
    why: 'of two nat chains of one priority the one made last is asked first',
  },
  {
    kind: 'native',
    seed: 151,
    precedence: nftFirst,
    why: 'a redirect to the very port it came to is a translation, and the last one',
  },
  {
    kind: 'native',
    seed: 776,
    precedence: legacyFirst,
    why: 'dnat by a map of ports, and the port is not known',
  },
  {
    kind: 'recordings',
    seed: 14,
    precedence: nftFirst,
    why: 'the anycast address of a network is one of the node itself',
  },
];
