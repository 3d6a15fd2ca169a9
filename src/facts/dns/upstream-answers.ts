import type { Fact, FactContext } from '../../engine/fact.ts';
import { type Answers, type AskedServer, askServers } from './ask-servers.ts';
import { localCoreDnsFact } from './local-coredns.ts';
import { presenceFact } from './presence.ts';
import { isServerAddress } from './resolv-conf.ts';
import { type Resolvers, resolversFact } from './resolvers.ts';
import { type Upstream, upstreamsFact } from './upstreams.ts';

export interface UpstreamAnswers {
  /** The name that was asked for in zone `.`; in another zone its own SOA. */
  readonly question: string;
  readonly fromHost: Answers;
  /** From CoreDNS' own network, where it runs on this node. */
  readonly fromPod:
    | { readonly kind: 'asked'; readonly pod: string; readonly answers: Answers }
    | { readonly kind: 'not-asked'; readonly reason: string };
}

/** Every upstream and every nameserver of the host, all at once, three tries each, within six seconds. */
export const upstreamAnswersFact: Fact<UpstreamAnswers> = {
  id: 'dns-upstream-answers',
  async gather(context) {
    const { name: question } = context.config.checks['dns-forwarders'];
    const presence = await context.get(presenceFact);
    if (presence.kind === 'absent')
      return { question, fromHost: new Map(), fromPod: notAsked(presence.reason) };
    const [known, resolvers] = await Promise.all([context.get(upstreamsFact), context.get(resolversFact)]);
    const upstreams = known.kind === 'known' ? known.upstreams.map((each) => questionTo(each, question)) : [];
    const [fromHost, fromPod] = await Promise.all([
      askAll(context, [
        ...upstreams,
        ...[...hostNameservers(resolvers), ...fallbackServers(resolvers)].map((server) =>
          askPlainly(server, question),
        ),
      ]),
      askFromPod(context, upstreams),
    ]);
    return { question, fromHost, fromPod };
  },
};

/** The root first: a server that serves two zones is asked one question. */
function questionTo({ zone, server, port, protocol, serverName }: Upstream, question: string): AskedServer {
  const protocols = protocol === 'tls' ? (['tls'] as const) : (['udp', 'tcp'] as const);
  const about =
    zone === '.' ? ({ name: question, type: 'A' } as const) : ({ name: zone, type: 'SOA' } as const);
  return { server, port, protocols, serverName, ...about };
}

/** What k3s gives to pods in place of what this host has. */
function fallbackServers({ kubelet }: Resolvers): readonly string[] {
  if (kubelet.kind !== 'known' || kubelet.by !== 'fallback' || kubelet.conf.kind !== 'read') return [];
  return kubelet.conf.nameservers.filter(isServerAddress);
}

/** A server that is asked for a name of the world, as one of zone `.` is. */
export function askPlainly(server: string, question: string): AskedServer {
  return { server, port: 53, protocols: ['udp', 'tcp'], name: question, type: 'A' };
}

/** Those that systemd-resolved asks in turn among them. */
export function hostNameservers({ host, resolved }: Resolvers): readonly string[] {
  const all = [host, resolved].flatMap((conf) => (conf.kind === 'read' ? conf.nameservers : []));
  return all.filter(isServerAddress);
}

export function askAll(
  context: FactContext,
  servers: readonly AskedServer[],
  process?: number,
): Promise<Answers> {
  const { slowMs } = context.config.checks['dns-forwarders'];
  const rootFirst = [...servers].sort((a, b) => Number(a.type === 'SOA') - Number(b.type === 'SOA'));
  return askServers(context.host, rootFirst, { slowMs, process });
}

async function askFromPod(
  context: FactContext,
  upstreams: readonly AskedServer[],
): Promise<UpstreamAnswers['fromPod']> {
  const { processes } = await context.get(localCoreDnsFact);
  const [process] = processes;
  if (process === undefined) return notAsked('no process of CoreDNS is seen on this node');
  if (upstreams.length === 0) return notAsked('there is no upstream to ask');
  const answers = await askAll(context, upstreams, process.pid);
  const why = reasonNotAsked(answers);
  const pod = process.pod ?? `of process ${process.pid}`;
  return why === undefined ? { kind: 'asked', pod, answers } : notAsked(why);
}

/** Where nothing at all could be asked, why that is. */
function reasonNotAsked(answers: Answers): string | undefined {
  const tried = [...answers.values()].flatMap(({ byProtocol }) => Object.values(byProtocol));
  if (tried.some(({ verdict }) => verdict !== 'not-asked')) return undefined;
  return tried[0]?.detail.replace(/^not asked: /, '') ?? 'there is no upstream to ask';
}

function notAsked(reason: string): Extract<UpstreamAnswers['fromPod'], { kind: 'not-asked' }> {
  return { kind: 'not-asked', reason };
}
