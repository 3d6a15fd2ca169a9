import type { Fact, FactContext } from '../../engine/fact.ts';
import type { Answers } from './ask-servers.ts';
import { clusterAnswersFact } from './cluster-answers.ts';
import { localCoreDnsFact } from './local-coredns.ts';
import { publicResolvers } from './public-resolvers.ts';
import { isFitForPods } from './resolv-conf.ts';
import { resolversFact } from './resolvers.ts';
import { isHalfSilent, type ServerAnswer, serverKey, servesPods } from './server-answer.ts';
import {
  askAll,
  askPlainly,
  hostNameservers,
  type UpstreamAnswers,
  upstreamAnswersFact,
} from './upstream-answers.ts';
import { type Upstreams, upstreamsFact } from './upstreams.ts';

/** A server that could take the place of those that do not answer, best first. */
export interface Candidate {
  readonly server: string;
  /** `configured`, `resolver of this host`, `DHCP (FILE)`, `provider hetzner`. */
  readonly origin: string;
  readonly kind: 'configured' | 'host' | 'leased' | 'provider';
  readonly answer: ServerAnswer;
  /** Undefined where CoreDNS does not run on this node. */
  readonly fromPod: ServerAnswer | undefined;
}

export interface Candidates {
  /** Asked only when no upstream of zone `.` answers what pods ask, or none is known to; else empty. */
  readonly candidates: readonly Candidate[];
  /**
   * Well-known public resolvers, asked only when some upstream of zone `.` is silent over some protocol:
   * whether this network lets anything out to port 53.
   */
  readonly publicAnswers: Answers;
}

export const candidatesFact: Fact<Candidates> = {
  id: 'dns-candidates',
  async gather(context) {
    const [upstreams, asked] = await Promise.all([
      context.get(upstreamsFact),
      context.get(upstreamAnswersFact),
    ]);
    const root = answersOfRoot(upstreams, asked);
    const [candidates, publicAnswers] = await Promise.all([
      (await needsCandidates(context, upstreams, root)) ? askCandidates(context, asked) : [],
      root.some(isHalfSilent) ? askPublic(context, asked) : new Map(),
    ]);
    return { candidates, publicAnswers };
  },
};

/** As CoreDNS has it, where that was asked. */
function answersOfRoot(
  upstreams: Upstreams,
  { fromHost, fromPod }: UpstreamAnswers,
): readonly ServerAnswer[] {
  if (upstreams.kind !== 'known') return [];
  const view = fromPod.kind === 'asked' ? fromPod.answers : fromHost;
  return upstreams.upstreams
    .filter(({ zone }) => zone === '.')
    .flatMap((upstream) => view.get(serverKey(upstream)) ?? []);
}

/** Without the live Corefile nothing can be repaired. Where it names none that is known, CoreDNS itself tells. */
async function needsCandidates(
  context: FactContext,
  upstreams: Upstreams,
  root: readonly ServerAnswer[],
): Promise<boolean> {
  if (upstreams.kind !== 'known' || root.some(servesPods)) return false;
  if (root.length > 0) return true;
  const { world } = await context.get(clusterAnswersFact);
  return upstreams.doubts.length > 0 && ![...world.values()].some(servesPods);
}

type Named = Pick<Candidate, 'server' | 'origin' | 'kind'>;

async function askCandidates(
  context: FactContext,
  { fromHost }: UpstreamAnswers,
): Promise<readonly Candidate[]> {
  const named = await onlyRouted(context, await nameCandidates(context));
  const servers = named.map(({ server }) => askPlainly(server, context.config.checks['dns-forwarders'].name));
  const [process] = (await context.get(localCoreDnsFact)).processes;
  const unasked = servers.filter((server) => !fromHost.has(serverKey(server)));
  const [asked, fromPod] = await Promise.all([
    askAll(context, unasked),
    process === undefined ? undefined : askAll(context, servers, process.pid),
  ]);
  return named.flatMap((each) => {
    const answer = asked.get(each.server) ?? fromHost.get(each.server);
    return answer === undefined ? [] : [{ ...each, answer, fromPod: fromPod?.get(each.server) }];
  });
}

/** Each address once, for its best reason. */
async function nameCandidates(context: FactContext): Promise<readonly Named[]> {
  const { candidates, providers } = context.config.checks['dns-forwarders'];
  const resolvers = await context.get(resolversFact);
  const named: readonly Named[] = [
    ...candidates.map((server) => ({ server, origin: 'configured', kind: 'configured' as const })),
    ...hostNameservers(resolvers)
      .filter(isFitForPods)
      .map((server) => ({ server, origin: 'resolver of this host', kind: 'host' as const })),
    ...resolvers.leased
      .filter(({ address }) => isFitForPods(address))
      .map(({ address, file }) => ({ server: address, origin: `DHCP (${file})`, kind: 'leased' as const })),
    ...Object.entries(providers).flatMap(([provider, servers]) =>
      servers.map((server) => ({ server, origin: `provider ${provider}`, kind: 'provider' as const })),
    ),
  ];
  return named.filter(({ server }, at) => named.findIndex((each) => each.server === server) === at);
}

async function askPublic(context: FactContext, { fromHost }: UpstreamAnswers): Promise<Answers> {
  const question = context.config.checks['dns-forwarders'].name;
  const routed = await onlyRouted(
    context,
    publicResolvers.map((server) => ({ server })),
  );
  const known = routed.flatMap(({ server }) => {
    const answer = fromHost.get(server);
    return answer === undefined ? [] : [[server, answer] as const];
  });
  const servers = routed.filter(({ server }) => !fromHost.has(server));
  const asked = await askAll(
    context,
    servers.map(({ server }) => askPlainly(server, question)),
  );
  return new Map([...known, ...asked]);
}

/** Of a family in which this host has no address nobody is reached, whoever blocks what. */
async function onlyRouted<T extends { readonly server: string }>(
  { host }: FactContext,
  servers: readonly T[],
): Promise<readonly T[]> {
  const [ipv4, ipv6] = await Promise.all([host.localAddresses('ipv4'), host.localAddresses('ipv6')]);
  return servers.filter(({ server }) => (server.includes(':') ? ipv6 : ipv4).length > 0);
}
