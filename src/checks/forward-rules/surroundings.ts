import type { Ufw } from '../../facts/ufw.ts';
import type { UfwBackend } from '../../facts/ufw-backend.ts';
import { type Backend, backends, type Family, ruleLines, type Table } from '../../netfilter/ruleset.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';

/** Who else writes rules on this node. */
export interface Surroundings {
  readonly reading: FirewallReading;
  readonly ufw: Ufw;
  readonly ufwBackend: UfwBackend;
  /** Whether it runs. */
  readonly firewalld: boolean;
}

/**
 * `maintained`: UFW is on, and this is where it writes. `left`: its rules are there, and it is off or
 * writes elsewhere. `none`: they are not, or empty, as `ufw disable` leaves them.
 */
export function ufwIn(
  backend: Backend,
  family: Family,
  { reading, ufw, ufwBackend }: Surroundings,
): 'maintained' | 'left' | 'none' {
  if (!hasUfwRules(reading, backend, family)) return 'none';
  if (ufw.kind !== 'active' || (family === 'ipv6' && !ufw.ipv6)) return 'left';
  const filled = backends.filter((each) => hasUfwRules(reading, each, family));
  const own = ufwBackend[family] ?? (filled.length === 1 ? filled[0] : undefined);
  return own === backend ? 'maintained' : 'left';
}

export function hasDocker(backend: Backend, family: Family, { reading }: Surroundings): boolean {
  return filterOf(reading, backend, family)?.chains.has('DOCKER') === true;
}

function hasUfwRules(reading: FirewallReading, backend: Backend, family: Family): boolean {
  const dump = reading.iptables[backend][family];
  const chains = filterOf(reading, backend, family)?.chains;
  const forward = chains?.get('FORWARD');
  if (dump.kind !== 'present' || forward === undefined) return false;
  const before = `ufw${family === 'ipv6' ? '6' : ''}-before-forward`;
  const isCalled = [...ruleLines(dump.ruleset, forward)].some((line) => line.endsWith(`-j ${before}`));
  return isCalled && (chains?.get(before)?.ruleCount ?? 0) > 0;
}

function filterOf({ iptables }: FirewallReading, backend: Backend, family: Family): Table | undefined {
  const dump = iptables[backend][family];
  return dump.kind === 'present' ? dump.ruleset.tables.get('filter') : undefined;
}
