import type { NatClaims } from '../../facts/nat-claims.ts';
import { type ReadTable, tableTitle } from '../../facts/table-readings.ts';
import { type Claim, claimKey } from '../../netfilter/claims.ts';
import type { Backend } from '../../netfilter/ruleset.ts';
import type { RefusalRule } from '../../netfilter/table-reading.ts';
import type { TrafficGhost } from './service-ghosts.ts';
import { describeAddress, explainEffect, type GhostEffect, severityOf, subjectOf } from './traffic.ts';

/** One ghost for each address that a leftover filter chain rejects or drops. */
export function findFilterGhosts(
  tables: readonly ReadTable[],
  claims: readonly NatClaims[],
  live: Backend,
): TrafficGhost[] {
  const filters = tables.filter(({ table }) => table === 'filter');
  return filters
    .filter(({ backend }) => backend !== live)
    .flatMap((read) => {
      const liveFilter = filters.find((other) => other.backend === live && other.family === read.family);
      const alsoRefused = new Set(liveFilter?.reading.refusals.map(claimKey));
      const liveClaims = claims.filter((nat) => nat.backend === live && nat.family === read.family);
      const translated = new Map(
        liveClaims.flatMap((nat) => nat.claims.map((claim) => [claimKey(claim), claim])),
      );
      return firstOfEach(read.reading.refusals).map((refusal) => {
        const claim = translated.get(claimKey(refusal));
        return refusalGhost(read, refusal, { live, claim, alsoRefused: alsoRefused.has(claimKey(refusal)) });
      });
    });
}

/** A second rule of a chain for the same address is never reached. */
function firstOfEach(refusals: readonly RefusalRule[]): RefusalRule[] {
  const keys = new Map<string, RefusalRule>();
  for (const refusal of refusals) {
    const key = `${refusal.chain} ${claimKey(refusal)}`;
    if (!keys.has(key)) keys.set(key, refusal);
  }
  return [...keys.values()];
}

const quiet = 'dormant: only what no nat rule translates first would be refused';

interface LiveSide {
  readonly live: Backend;
  readonly claim: Claim | undefined;
  readonly alsoRefused: boolean;
}

/**
 * The rule matches the Service's own address, so it refuses only packets that no nat rule has
 * translated by then; a live claim of the same address keeps it quiet.
 */
function refusalGhost(
  read: ReadTable,
  refusal: RefusalRule,
  { live, claim, alsoRefused }: LiveSide,
): TrafficGhost {
  const { protocol, address, port, servicePort: service } = refusal;
  const verb = refusal.target === 'DROP' ? 'dropped' : 'rejected';
  const effect: GhostEffect = alsoRefused ? 'idle' : claim ? 'dormant' : 'rejects';
  const shown = describeAddress(address ?? null, port);
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
      subject: subjectOf(`${read.backend} ${read.family} filter ${refusal.chain}`, refusal),
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
        { source: tableTitle(read), observed: `${refusal.chain}: ${refusal.comment}` },
        { source: 'effect', observed: effect === 'dormant' ? quiet : explainEffect(effect) },
      ],
    },
    deadFlows: [],
  };
}
