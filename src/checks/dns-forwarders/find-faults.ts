import type { Evidence, Finding } from '../../engine/finding.ts';
import { type Judged, unrepaired } from '../../engine/judged.ts';
import { listed } from '../../engine/listed.ts';
import { isPublicResolver } from '../../facts/dns/public-resolvers.ts';
import { isSilent } from '../../facts/dns/server-answer.ts';
import { familyOf, judgeOutwards, type Outwards } from './blocked.ts';
import { judgeServers } from './judge-servers.ts';
import { canMoveHere } from './reach.ts';
import { findRepair } from './repair.ts';
import type { Seen } from './seen.ts';
import { describePlight } from './verdicts.ts';
import { type Repair, withRepair } from './with-repair.ts';
import { outwardsWords, whatServersDo } from './words.ts';
import { type World, type WorldAnswer, worldOf } from './world.ts';
import type { Zone, ZoneServer } from './zones.ts';

export interface Faults {
  readonly found: readonly Judged[];
  /** What could not be told, a line each. */
  readonly doubts: readonly string[];
}

/** One zone: whether anything of what it is forwarded to answers, and what each server does. */
export function judgeZone(seen: Seen, zone: Zone): Faults {
  const outwards = judgeOutwards(seen);
  const world = worldOf(seen);
  const unasked = [
    ...zone.servers.filter(({ state }) => state === 'unasked').map(whyUnasked),
    ...zone.notUnderstood.map((text) => `${text}: not understood`),
  ];
  const useless = zone.servers.filter(({ state }) => state === 'useless');
  const isRoot = zone.name === '.';
  if (zone.servers.some(({ state }) => state === 'of-use')) {
    const found = judgeServers(zone, (servers) => causeOf(servers, outwards));
    return { found: isRoot ? [...found, ...judgeWorld(seen, zone, world)] : found, doubts: [] };
  }
  const fails = isRoot && world.failing.length > 0 && world.resolving.length === 0;
  if (unasked.length > 0 && !fails) {
    if (isRoot && world.resolving.length > 0) return { found: [], doubts: [] };
    const silent = useless.length > 0 ? `${whatServersDo(useless)}, and ` : '';
    return { found: [], doubts: [`${silent}${listed(unasked)}`] };
  }
  return { found: [judgeDead(seen, zone, outwards, world)], doubts: [] };
}

function whyUnasked({ key, upstream, answer }: ZoneServer): string {
  const why = Object.values(answer?.byProtocol ?? {})[0]?.detail ?? 'not asked';
  return `${key} (${upstream.origin}): ${why}`;
}

function judgeDead(seen: Seen, zone: Zone, outwards: Outwards, world: World): Judged {
  const isRoot = zone.name === '.';
  const byPod = zone.servers.some(({ hostState }) => hostState !== undefined);
  // What a pod here resolves may come from its cache.
  const resolving = isRoot ? world.resolving.filter(({ isHere }) => !(byPod && isHere)) : [];
  const asked = serverEvidence(seen, zone);
  // What CoreDNS itself says is one thing while its cache holds it and another one afterwards.
  const evidence = asked.length > 0 ? asked : worldEvidence(world, isRoot);
  const effect = zone.servers.every(({ answer }) => answer && isSilent(answer)) ? 'loses' : 'rejects';
  const dead = { subject: `zone ${zone.name}`, evidence } as const;
  if (resolving.length > 0) {
    const message = `${whatServersDo(zone.servers)} from here · CoreDNS does get answers: ${listed(resolving.map(({ who }) => who))}`;
    const repair: Repair = canMoveHere(seen)
      ? findRepair(seen)
      : { kind: 'none', reason: whyLeft(resolving) };
    return withRepair(
      { ...dead, code: 'forwarders-dead-here', severity: 'warning', message, effect: 'dormant' },
      repair,
    );
  }
  const what = isRoot ? 'pods resolve no name outside the cluster' : `pods resolve no name of ${zone.name}`;
  const message = [
    `${what}: ${whatServersDo(zone.servers)}`,
    ...podWords(zone, seen),
    ...causeOf(zone.servers, outwards),
  ].join(' · ');
  const finding = { ...dead, code: 'forwarders-dead', severity: 'error', message, effect } as const;
  if (isRoot) return withRepair(finding, findRepair(seen));
  return unrepaired(
    finding,
    `who answers for ${zone.name} only you know: put servers that do into its forward`,
  );
}

/** Port 53 being blocked for public resolvers says nothing of others. */
function causeOf(servers: readonly ZoneServer[], outwards: Outwards): readonly string[] {
  if (outwards.kind !== 'blocked') return outwardsWords(outwards);
  const isOne = servers.some(
    ({ upstream: { server, port } }) =>
      port === 53 &&
      isPublicResolver(server) &&
      (outwards.family === undefined || outwards.family === familyOf(server)),
  );
  return isOne ? outwardsWords(outwards) : [];
}

function whyLeft(resolving: readonly WorldAnswer[]): string {
  const why = 'nothing is changed while CoreDNS gets answers';
  return resolving.some(({ isHere }) => isHere)
    ? `${why}: it is what this host itself sends that is stopped`
    : `${why}; where this node is, it would get none: keep it off, or forward to servers that answer both`;
}

/** Where CoreDNS is, and this host is not, nothing comes back: it is not the servers. */
function podWords({ servers }: Zone, { answers: { fromPod } }: Seen): readonly string[] {
  if (fromPod.kind !== 'asked' || !servers.some(({ hostState }) => hostState === 'of-use')) return [];
  return [`they answer this host, and not pod ${fromPod.pod} on it: what pods send out is stopped here`];
}

function serverEvidence({ answers }: Seen, { servers }: Zone): readonly Evidence[] {
  const { fromPod } = answers;
  return servers.flatMap(({ key, answer, hostState, upstream }) => {
    const host = answers.fromHost.get(key);
    const source = `${key} (${upstream.origin})`;
    return [
      ...(answer && hostState !== undefined && fromPod.kind === 'asked'
        ? [{ source: `${source}, asked from where CoreDNS is`, observed: describePlight(answer) }]
        : []),
      ...(host ? [{ source: `${source}, asked from this host`, observed: describePlight(host) }] : []),
    ];
  });
}

function worldEvidence({ resolving, failing }: World, isRoot: boolean): readonly Evidence[] {
  if (!isRoot) return [];
  return [...failing, ...resolving].map(({ who, answer }) => ({
    source: `a name of the world, asked of ${who}`,
    observed: describePlight(answer),
  }));
}

/** Its servers answer, and CoreDNS does not say what they say. */
function judgeWorld(seen: Seen, zone: Zone, world: World): readonly Judged[] {
  const { failing, resolving } = world;
  if (failing.length === 0) return [];
  const good = zone.servers.filter(({ state }) => state === 'of-use');
  // It asks its servers at random: where some are of no use, three tries may have met only those.
  const isAll = resolving.length === 0 && good.length === zone.servers.length;
  const what = isAll ? 'pods resolve no name outside the cluster' : 'some questions of pods get no answer';
  const byPod = good.some(({ hostState }) => hostState !== undefined);
  const whom = byPod ? 'where CoreDNS runs' : 'this host';
  const message = `${what}: ${listed(failing.map(({ who }) => who))} ${failing.length === 1 ? 'gives' : 'give'} none, though ${listed(good.map(({ key }) => key))} ${good.length === 1 ? 'answers' : 'answer'} ${whom}`;
  const finding: Omit<Finding, 'remedy'> = {
    code: 'world-unresolved',
    subject: 'zone .',
    severity: isAll ? 'error' : 'warning',
    message,
    effect: 'rejects',
    evidence: [...worldEvidence(world, true), ...serverEvidence(seen, zone)],
  };
  return [
    unrepaired(
      finding,
      'CoreDNS may be about to load a change, which takes up to two minutes: look again; else what its pod sends out is stopped (doctor check forward-rules), or it runs another configuration than is written (doctor check coredns-health)',
    ),
  ];
}

/** What is forwarded to is not known, and CoreDNS does not resolve: whatever it is, it does not work. */
export function judgeByWorld(seen: Seen, todo: string): Judged | undefined {
  const world = worldOf(seen);
  if (world.failing.length === 0 || world.resolving.length > 0) return undefined;
  return unrepaired(
    {
      code: 'forwarders-dead',
      subject: 'zone .',
      severity: 'error',
      message: `pods resolve no name outside the cluster: ${listed(world.failing.map(({ who }) => who))} ${world.failing.length === 1 ? 'gives' : 'give'} no answer`,
      effect: 'rejects',
      evidence: worldEvidence(world, true),
    },
    todo,
  );
}
