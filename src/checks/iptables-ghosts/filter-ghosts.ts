import type { NatClaims } from '../../facts/nat-claims.ts';
import { type ReadTable, tableTitle } from '../../facts/table-readings.ts';
import { optionValue, parseRule, type Rule } from '../../netfilter/rule.ts';
import { type Backend, ruleLines } from '../../netfilter/ruleset.ts';
import { printEndpoint, servicePortIn } from '../../netfilter/service-port.ts';
import { claimKey } from '../../netfilter/services.ts';
import type { TrafficGhost } from './service-ghosts.ts';

/** One ghost for each address that a leftover filter chain rejects or drops. */
export function findFilterGhosts(
  tables: readonly ReadTable[],
  claims: readonly NatClaims[],
  live: Backend,
): TrafficGhost[] {
  return tables
    .filter(({ backend, table }) => backend !== live && table.name === 'filter')
    .flatMap((read) =>
      refusingRules(read).map((rule) => {
        const liveClaims = claims.filter((nat) => nat.backend === live && nat.family === read.family);
        return rejectGhost(read, rule, live, liveClaims);
      }),
    );
}

const refusingChains = ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL'];

function refusingRules(read: ReadTable): Rule[] {
  return refusingChains.flatMap((name) => {
    const chain = read.table.chains.get(name);
    const rules = chain ? Array.from(ruleLines(read.ruleset, chain), parseRule) : [];
    return rules.flatMap((rule) => (rule && ['REJECT', 'DROP'].includes(rule.jump?.target ?? '') ? [rule] : []));
  });
}

/**
 * The rule matches the Service's own address, so it refuses only packets that no nat rule has
 * translated by then; a live claim of the same address keeps it quiet.
 */
function rejectGhost(
  read: ReadTable,
  rule: Rule,
  live: Backend,
  claims: readonly NatClaims[],
): TrafficGhost {
  const protocol = optionValue(rule, '-p') ?? 'any';
  const port = Number(optionValue(rule, '--dport') ?? 0);
  const address = optionValue(rule, '-d')?.replace(/\/\d+$/, '');
  const service = servicePortIn(optionValue(rule, '--comment') ?? '') ?? null;
  const key = claimKey({ protocol, address, port });
  const translated = claims.flatMap((nat) => nat.claims).find((claim) => claimKey(claim) === key);
  const verb = rule.jump?.target === 'DROP' ? 'dropped' : 'rejected';
  const shown = address === undefined ? `*:${port}` : printEndpoint({ address, port });
  const quiet = translated ? ` · live rules translate it first (${live})` : ' · no live rule translates it first';
  return {
    family: read.family,
    backend: read.backend,
    table: 'filter',
    finding: {
      code: 'ghost-reject',
      severity: 'error',
      effect: 'rejects',
      message: `${shown}/${protocol}${service ? ` ${service.split(':')[0]}` : ''} → ${verb} (${read.backend} filter)${quiet}`,
      traffic: {
        protocol,
        address: address ?? null,
        port,
        service,
        sentTo: [],
        live: translated?.targets.map((target) => ({ ...target, backend: live })) ?? [],
      },
      evidence: [
        { source: tableTitle(read), observed: `${rule.chain}: ${optionValue(rule, '--comment') ?? 'no comment'}` },
        { source: 'effect', observed: 'a reject or drop in either backend is final: the other cannot overrule it' },
      ],
    },
    deadFlows: [],
  };
}
