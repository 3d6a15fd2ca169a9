import type { Fact } from '../engine/fact.ts';
import { type Claim, hostPortClaims, serviceClaims } from '../netfilter/claims.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import { tableReadingsFact } from './table-readings.ts';

export interface NatClaims {
  readonly backend: Backend;
  readonly family: Family;
  readonly claims: readonly Claim[];
}

/** Every address and port that a nat table translates for Kubernetes, in each backend and family. */
export const natClaimsFact: Fact<readonly NatClaims[]> = {
  id: 'nat-claims',
  async gather({ get }) {
    const tables = await get(tableReadingsFact);
    return tables
      .filter(({ table }) => table === 'nat')
      .map(({ backend, family, reading }) => ({
        backend,
        family,
        claims: [...serviceClaims(reading), ...hostPortClaims(reading)],
      }));
  },
};
