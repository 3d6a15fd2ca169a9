import type { Backend, Family } from '../../netfilter/ruleset.ts';
import type { RuleRef } from '../../netfilter/walk/walk.ts';

/** What lets pods' traffic through, in one backend and family. */
export type Opening = {
  readonly backend: Backend;
  readonly family: Family;
  /** All pods of the cluster. */
  readonly cidr: string;
  /** What has to be let through: what pods send, what is sent to them. */
  readonly needs: Needs;
} & (
  | { readonly kind: 'ufw'; readonly first: boolean }
  /** `before`: the rule of FORWARD that it goes ahead of; undefined: it goes to the end. */
  | { readonly kind: 'chain'; readonly before: RuleRef | undefined }
);

export interface Needs {
  readonly from: boolean;
  readonly to: boolean;
}

/** As iptables-save prints them. */
export function acceptRules(
  chain: string,
  { needs, cidr }: Pick<Opening, 'needs' | 'cidr'>,
  comment = '',
): readonly string[] {
  return [
    ...(needs.from ? [`[0:0] -A ${chain} -s ${cidr}${comment} -j ACCEPT`] : []),
    ...(needs.to ? [`[0:0] -A ${chain} -d ${cidr}${comment} -j ACCEPT`] : []),
  ];
}
