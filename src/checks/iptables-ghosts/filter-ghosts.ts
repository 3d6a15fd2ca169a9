import type { Effect } from '../../engine/finding.ts';
import type { NatClaims } from '../../facts/nat-claims.ts';
import { type ReadTable, tableTitle } from '../../facts/table-readings.ts';
import { optionValue, parseRule } from '../../netfilter/rule.ts';
import { type Backend, ruleLines } from '../../netfilter/ruleset.ts';
import { printEndpoint, servicePortIn } from '../../netfilter/service-port.ts';
import { type Claim, claimKey } from '../../netfilter/services.ts';
import type { TrafficGhost } from './service-ghosts.ts';
import { explainEffect, severityOf } from './traffic.ts';

/** One ghost for each address that a leftover filter chain rejects or drops. */
export function findFilterGhosts(
  tables: readonly ReadTable[],
  claims: readonly NatClaims[],
  live: Backend,
): TrafficGhost[] {
  const filters = tables.filter(({ table }) => table.name === 'filter');
  return filters
    .filter(({ backend }) => backend !== live)
    .flatMap((read) => {
      const liveFilter = filters.find((other) => other.backend === live && other.family === read.family);
      const alsoRefused = new Set(liveFilter ? refusalsIn(liveFilter).map(claimKey) : []);
      const liveClaims = claims.filter((nat) => nat.backend === live && nat.family === read.family);
      const translated = new Map(liveClaims.flatMap((nat) => nat.claims.map((claim) => [claimKey(claim), claim])));
      return refusalsIn(read).map((refusal) => {
        const claim = translated.get(claimKey(refusal));
        return refusalGhost(read, refusal, { live, claim, alsoRefused: alsoRefused.has(claimKey(refusal)) });
      });
    });
}

interface Refusal {
  readonly protocol: string;
  readonly address: string | undefined;
  readonly port: number;
  readonly service: string | undefined;
  readonly verb: 'rejected' | 'dropped';
  readonly source: string;
}

const refusingChains = ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL'];

function refusalsIn(read: ReadTable): Refusal[] {
  return refusingChains.flatMap((name) => {
    const chain = read.table.chains.get(name);
    return Array.from(chain ? ruleLines(read.ruleset, chain) : [], parseRule).flatMap((rule) => {
      const target = rule?.jump?.target;
      if (!rule || (target !== 'REJECT' && target !== 'DROP')) return [];
      const comment = optionValue(rule, '--comment') ?? '';
      return [
        {
          protocol: optionValue(rule, '-p') ?? 'any',
          address: optionValue(rule, '-d')?.replace(/\/\d+$/, ''),
          port: Number(optionValue(rule, '--dport') ?? 0),
          service: servicePortIn(comment),
          verb: target === 'DROP' ? ('dropped' as const) : ('rejected' as const),
          source: `${name}: ${comment}`,
        },
      ];
    });
  });
}

interface LiveSide {
  readonly live: Backend;
  readonly claim: Claim | undefined;
  readonly alsoRefused: boolean;
}

/**
 * The rule matches the Service's own address, so it refuses only packets that no nat rule has
 * translated by then; a live claim of the same address keeps it quiet.
 */
function refusalGhost(read: ReadTable, refusal: Refusal, { live, claim, alsoRefused }: LiveSide): TrafficGhost {
  const { protocol, address, port, service, verb, source } = refusal;
  const effect: Effect = alsoRefused ? 'idle' : 'rejects';
  const shown = address === undefined ? `*:${port}` : printEndpoint({ address, port });
  const liveText = claim
    ? `live rules translate it first (${live})`
    : alsoRefused
      ? `refused by live rules too (${live})`
      : 'no live rule translates it first';
  return {
    family: read.family,
    backend: read.backend,
    table: 'filter',
    finding: {
      code: 'ghost-reject',
      severity: severityOf(effect),
      effect,
      message: `${shown}/${protocol}${service ? ` ${service.split(':')[0]}` : ''} → ${verb} (${read.backend} filter) · ${liveText}`,
      traffic: {
        protocol,
        address: address ?? null,
        port,
        service: service ?? null,
        sentTo: [],
        live: claim?.targets.map((target) => ({ ...target, backend: live })) ?? [],
      },
      evidence: [
        { source: tableTitle(read), observed: source },
        { source: 'effect', observed: explainEffect(effect) },
      ],
    },
    deadFlows: [],
  };
}
