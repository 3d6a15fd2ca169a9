import type { Place } from './create-place.ts';

export type Backend = 'legacy' | 'nft';
export type Family = 'ipv4' | 'ipv6';

export interface DumpOptions {
  /** Print packet and byte counters; default false. */
  readonly counters?: boolean;
}

interface Ruleset {
  readonly backend: Backend;
  readonly family: Family;
}

/**
 * What the real `ip[6]tables-{legacy,nft}-save` prints, with its comments. Bare, without `-t`, it
 * registers no table.
 */
export async function dumpRuleset(
  node: Place,
  { counters = false, ...which }: Ruleset & DumpOptions,
): Promise<string> {
  return node.run([`${program(which)}-save`, ...(counters ? ['-c'] : [])]);
}

/** Loads such a dump. @throws Error with the tool's message, when it refuses it. */
export async function restoreRuleset(
  node: Place,
  { dump, noFlush = false, ...which }: Ruleset & { dump: string; noFlush?: boolean },
): Promise<void> {
  const flags = ['--counters', ...(noFlush ? ['--noflush'] : [])];
  await node.run([`${program(which)}-restore`, ...flags], { input: dump });
}

function program({ backend, family }: Ruleset): string {
  return `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}`;
}
