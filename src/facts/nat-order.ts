import type { Fact, FactContext } from '../engine/fact.ts';
import { type Claim, claimKey } from '../netfilter/claims.ts';
import { parseConnections } from '../netfilter/conntrack.ts';
import { type Backend, type Family, families } from '../netfilter/ruleset.ts';
import { type NatClaims, natClaimsFact } from './nat-claims.ts';

/**
 * Which backend's nat table translates first where both claim the same address.
 *
 * The table that was registered last wins, and no kernel interface shows that order (since 4.18 nat
 * tables hang behind one common hook, so `nft list hooks` does not list them). So one TCP connection
 * is opened to an address that both claim with different targets, closed at once, and the kernel's
 * own record of it says who translated it.
 */
export type NatOrder = Readonly<Record<Family, FamilyNatOrder>>;

export type FamilyNatOrder =
  | { readonly kind: 'known'; readonly first: Backend; readonly evidence: string }
  | { readonly kind: 'unknown'; readonly reason: string }
  /** No address is claimed by both with different targets. */
  | { readonly kind: 'not-needed' };

export const natOrderFact: Fact<NatOrder> = {
  id: 'nat-order',
  async gather(context) {
    const claims = await context.get(natClaimsFact);
    const [ipv4, ipv6] = await Promise.all(families.map((family) => orderOf(context, claims, family)));
    return { ipv4: ipv4 ?? { kind: 'not-needed' }, ipv6: ipv6 ?? { kind: 'not-needed' } };
  },
};

interface Contest {
  /** Undefined: any address of this node. */
  readonly address: string | undefined;
  readonly port: number;
  readonly targets: Readonly<Record<Backend, ReadonlySet<string>>>;
}

async function orderOf(
  context: FactContext,
  all: readonly NatClaims[],
  family: Family,
): Promise<FamilyNatOrder> {
  const contests = findContests(all, family);
  const [first] = contests;
  if (!first) return { kind: 'not-needed' };
  if (!context.config.checks['iptables-ghosts'].probe) {
    return { kind: 'unknown', reason: 'probing is switched off (checks.iptables-ghosts.probe)' };
  }
  // A fixed address before one of this node's own, which a host port or node port has to be asked at.
  const { address: fixed, port, targets } = contests.find(({ address }) => address !== undefined) ?? first;
  const address = fixed ?? (await context.host.localAddresses(family))[0];
  if (address === undefined)
    return { kind: 'unknown', reason: `this node has no ${family} address to probe at` };
  const probe = await context.host.connectTcp(address, port, 300);
  if (probe.kind === 'not-tried') return { kind: 'unknown', reason: `not probed: ${probe.reason}` };
  if (probe.localPort === undefined)
    return { kind: 'unknown', reason: `no connection to ${address} could be begun` };
  const listed = await context.host.run({
    tool: 'conntrack',
    args: ['-L', '-f', family, '-p', 'tcp', '-d', address, '--orig-port-src', String(probe.localPort)],
    timeoutMs: context.config.commandTimeoutMs,
  });
  if (listed.kind !== 'exited') return { kind: 'unknown', reason: 'conntrack could not be asked' };
  const reply = parseConnections(listed.stdout).find(
    ({ original }) => original.sourcePort === probe.localPort && original.destinationPort === port,
  )?.reply;
  if (!reply)
    return { kind: 'unknown', reason: `the kernel kept no record of the probe to ${address} port ${port}` };
  const target = `${reply.source} ${reply.sourcePort}`;
  const winner = targets.legacy.has(target) ? 'legacy' : targets.nft.has(target) ? 'nft' : undefined;
  if (!winner)
    return {
      kind: 'unknown',
      reason: `the probe to ${address} port ${port} went to ${target}, in neither table`,
    };
  return {
    kind: 'known',
    first: winner,
    evidence: `a probe to ${address} port ${port} was sent to ${target} by ${winner}`,
  };
}

/** Addresses that both backends claim and send to different places. */
function findContests(all: readonly NatClaims[], family: Family): Contest[] {
  const of = (backend: Backend) =>
    all.filter((nat) => nat.backend === backend && nat.family === family).flatMap((nat) => nat.claims);
  const nft = Map.groupBy(of('nft').filter(isTcp), claimKey);
  if (nft.size === 0) return [];
  return [...Map.groupBy(of('legacy').filter(isTcp), claimKey)].flatMap(([key, claims]) => {
    const [claim] = claims;
    const targets = { legacy: targetSet(claims), nft: targetSet(nft.get(key) ?? []) };
    const apart =
      targets.legacy.isDisjointFrom(targets.nft) && targets.legacy.size > 0 && targets.nft.size > 0;
    return claim && apart ? [{ address: claim.address, port: claim.port, targets }] : [];
  });
}

function isTcp({ protocol }: Claim): boolean {
  return protocol === 'tcp';
}

function targetSet(claims: readonly Claim[]): ReadonlySet<string> {
  return new Set(claims.flatMap(({ targets }) => targets.map(({ address, port }) => `${address} ${port}`)));
}
