import { stateOf } from '../../facts/endpoint-state.ts';
import type { KubeComponents } from '../../facts/kube-components.ts';
import type { NatClaims } from '../../facts/nat-claims.ts';
import type { Endpoints } from '../../facts/service-endpoints.ts';
import { type Backend, backends } from '../../netfilter/ruleset.ts';

/**
 * Whether the API contradicts that a backend is the live one: the backend that kube-proxy maintains
 * must not know more dead endpoints than the other. A line for a person if it does, or if only the
 * API could tell and it does not answer.
 */
export function contradictEndpoints(
  claims: readonly NatClaims[],
  live: Backend,
  { endpoints, components }: { readonly endpoints: Endpoints; readonly components: KubeComponents },
): string | undefined {
  if (endpoints.kind === 'unavailable' && components.separateKubeProxy) {
    return `kube-proxy runs apart from kubelet and may use another backend, and the API cannot be asked: ${endpoints.reason}`;
  }
  if (endpoints.kind !== 'known') return undefined;
  const [legacy, nft] = backends.map((backend) => deadShare(claims, backend, endpoints));
  if (legacy === undefined || nft === undefined) return undefined;
  const [share, otherShare, other] = live === 'nft' ? [nft, legacy, 'legacy'] : [legacy, nft, 'nft'];
  if (share <= otherShare) return undefined;
  const percent = (value: number) => `${Math.round(value * 100)} %`;
  return (
    `kubelet's mark says iptables-${live}, but ${percent(share)} of its endpoints are dead by the API ` +
    `and ${percent(otherShare)} of iptables-${other}'s: kube-proxy may be writing to iptables-${other}`
  );
}

/** Undefined when a backend has no endpoints at all. */
function deadShare(claims: readonly NatClaims[], backend: Backend, endpoints: Endpoints): number | undefined {
  const truth = { endpoints, liveTargets: [], liveRulesKnown: true };
  let dead = 0;
  let all = 0;
  for (const nat of claims) {
    if (nat.backend !== backend) continue;
    for (const claim of nat.claims) {
      if (claim.sandboxId !== undefined) continue;
      all += claim.targets.length;
      dead += claim.targets.filter((target) => stateOf(target, claim, truth) === 'dead').length;
    }
  }
  return all === 0 ? undefined : dead / all;
}
