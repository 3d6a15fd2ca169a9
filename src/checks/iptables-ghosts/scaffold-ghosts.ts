import { count } from '../../engine/count.ts';
import type { Finding } from '../../engine/finding.ts';
import { tableTitle } from '../../facts/table-readings.ts';
import { chainOwner, serviceChainKind } from '../../netfilter/chain-owner.ts';
import type { TableRemoval } from './removals.ts';

/** What is left over in a table besides the chains of Services and sandboxes, as one finding each for policy and the rest. */
export function findScaffoldGhosts(removal: TableRemoval): Omit<Finding, 'remedy'>[] {
  const policy = removal.chains.filter((name) => chainOwner(name) === 'network-policy');
  const residue = removal.rules.filter(({ line }) => / -j ACCEPT$/.test(line));
  const rest = removal.chains.filter(
    (name) => !serviceChainKind(name) && ['kube-proxy', 'kubelet'].includes(chainOwner(name) ?? ''),
  );
  const where = tableTitle(removal.read);
  const findings: Omit<Finding, 'remedy'>[] = [];
  if (policy.length + residue.length > 0) {
    findings.push({
      code: 'ghost-network-policy',
      severity: 'error',
      effect: 'rejects',
      message: `${where}: ${count(policy.length, 'network policy chain')} of an earlier era and ${count(residue.length, 'accept rule')} judge pod traffic`,
      evidence: [
        { source: where, observed: `${policy.slice(0, 5).join(', ')}${policy.length > 5 ? ', …' : ''}` },
      ],
    });
  }
  if (rest.length > 0) {
    findings.push({
      code: 'ghost-scaffolding',
      severity: 'warning',
      effect: 'idle',
      message: `${where}: ${count(rest.length, 'chain')} of kube-proxy or kubelet that nobody maintains`,
      evidence: [{ source: where, observed: rest.join(', ') }],
    });
  }
  return findings;
}
