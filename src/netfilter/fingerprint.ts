import { type Chain, type Ruleset, ruleLines } from './ruleset.ts';

/**
 * Goes on with a chain's fingerprint by one rule, counters aside. FNV-1a: it has to notice a change,
 * not to withstand an attacker, who being root would not need to fool it.
 */
export function addToFingerprint(fingerprint: number, line: string): number {
  let hash = fingerprint ^ 0x811c9dc5;
  for (let i = line[0] === '[' ? line.indexOf('] ') + 2 : 0; i < line.length; i++) {
    hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
  }
  return hash;
}

/** The fingerprint of a chain in a dump that is there as a whole. */
export function fingerprintOf(ruleset: Ruleset, chain: Chain): number {
  let fingerprint = 0;
  for (const line of ruleLines(ruleset, chain)) fingerprint = addToFingerprint(fingerprint, line);
  return fingerprint;
}
