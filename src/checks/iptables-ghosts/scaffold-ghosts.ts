import { count } from '../../engine/count.ts';
import type { Finding } from '../../engine/finding.ts';
import { tableTitle } from '../../facts/table-readings.ts';
import { chainOwner, serviceChainKind } from '../../netfilter/chain-owner.ts';
import type { GhostSet } from './ghost-set.ts';

/**
 * What is left over in a table besides what catches traffic (`hasTraffic`: there is such), as one
 * finding each for policy and the rest. A set always has a finding, or nobody could allow its removal.
 */
export function findScaffoldGhosts(set: GhostSet, hasTraffic: boolean): Omit<Finding, 'remedy'>[] {
  const policy = set.chains.filter((name) => chainOwner(name) === 'network-policy');
  const residue = set.rules.filter(({ line }) => / -j ACCEPT$/.test(line));
  const rest = set.chains.filter(
    (name) => !serviceChainKind(name) && ['kube-proxy', 'kubelet'].includes(chainOwner(name) ?? ''),
  );
  const where = tableTitle(set.read);
  const place = placeOf(set);
  const findings: Omit<Finding, 'remedy'>[] = [];
  if (policy.length + residue.length > 0) {
    findings.push({
      code: 'ghost-network-policy',
      subject: `${place} network policy`,
      severity: 'error',
      effect: 'rejects',
      message: `${where}: ${count(policy.length, 'network policy chain')} of an earlier era and ${count(residue.length, 'accept rule')} judge pod traffic`,
      evidence: [{ source: where, observed: firstOf(policy) }],
    });
  }
  const idle = rest.length + findings.length > 0 || hasTraffic ? rest : set.chains;
  if (idle.length > 0) {
    const whose = set.sandboxId === undefined ? 'kube-proxy or kubelet' : `sandbox ${set.sandboxId}`;
    findings.push({
      code: 'ghost-scaffolding',
      subject: `${place} scaffolding`,
      severity: 'warning',
      effect: 'idle',
      message: `${where}: ${count(idle.length, 'chain')} of ${whose} that nobody maintains`,
      evidence: [{ source: where, observed: rest.length > 0 ? rest.join(', ') : firstOf(idle) }],
    });
  }
  return findings;
}

function placeOf({ read, sandboxId }: GhostSet): string {
  const table = `${read.backend} ${read.family} ${read.table}`;
  return sandboxId === undefined ? table : `${table} sandbox ${sandboxId}`;
}

function firstOf(names: readonly string[]): string {
  return `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
}
