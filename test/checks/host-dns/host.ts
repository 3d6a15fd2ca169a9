import { hostDns } from '../../../src/checks/host-dns/check.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { type HostName, type HostNames, hostNamesFact } from '../../../src/facts/dns/host-names.ts';
import { type Presence, presenceFact } from '../../../src/facts/dns/presence.ts';
import type { ResolvConf } from '../../../src/facts/dns/resolv-conf.ts';
import { type Resolvers, resolversFact } from '../../../src/facts/dns/resolvers.ts';
import type { ServerAnswer, Tried } from '../../../src/facts/dns/server-answer.ts';
import { upstreamAnswersFact } from '../../../src/facts/dns/upstream-answers.ts';
import { upstreamsFact } from '../../../src/facts/dns/upstreams.ts';
import { givenFacts } from '../../facts/given-facts.ts';

export interface Changes {
  readonly presence?: Presence;
  readonly names?: readonly HostName[];
  readonly doubts?: readonly string[];
  readonly host?: ResolvConf;
  readonly resolved?: ResolvConf;
  readonly kubelet?: Resolvers['kubelet'];
  /** Whom CoreDNS asks; undefined: not known. */
  readonly upstreams?: readonly string[];
  /** By server; who is not listed was not asked. */
  readonly answers?: Readonly<Record<string, Tried['verdict']>>;
}

export const conf = (path: string, nameservers: readonly string[], unfit?: string): ResolvConf => ({
  kind: 'read',
  path,
  nameservers,
  unfit,
});

export const name = (of: Partial<HostName> = {}): HostName => ({
  name: 'registry-1.docker.io',
  why: 'images come from there',
  kind: 'registry',
  answer: { kind: 'resolved', addresses: ['192.0.2.7'] },
  ...of,
});

export const fallback = {
  kind: 'known',
  by: 'fallback',
  from: undefined,
  conf: conf('/var/lib/rancher/k3s/agent/etc/resolv.conf', ['8.8.8.8']),
} as const;

/** A node whose names resolve and whose one nameserver answers, with some things changed. */
export async function diagnose(changes: Changes = {}): Promise<Diagnosis> {
  const host = changes.host ?? conf('/etc/resolv.conf', ['192.0.2.1']);
  const names: HostNames = { names: changes.names ?? [name()], doubts: changes.doubts ?? [], notes: [] };
  const resolvers: Resolvers = {
    host,
    resolved: changes.resolved ?? { kind: 'absent', path: '/run/systemd/resolve/resolv.conf' },
    kubelet: changes.kubelet ?? { kind: 'known', by: 'host', from: undefined, conf: host },
    leased: [],
  };
  const answers = Object.entries(changes.answers ?? { '192.0.2.1': 'answers' as const });
  const context = await givenFacts({
    [presenceFact.id]: changes.presence ?? { kind: 'present' },
    [hostNamesFact.id]: names,
    [resolversFact.id]: resolvers,
    [upstreamsFact.id]: changes.upstreams
      ? { kind: 'known', upstreams: changes.upstreams.map((server) => ({ zone: '.', server })), doubts: [] }
      : { kind: 'unavailable', reason: 'forbidden', forbidden: true },
    [upstreamAnswersFact.id]: {
      question: 'example.org',
      fromHost: new Map(answers.map(([server, verdict]) => [server, answerOf(server, verdict)])),
      fromPod: { kind: 'not-asked', reason: 'no CoreDNS here' },
    },
  });
  return hostDns.run(context);
}

function answerOf(server: string, verdict: Tried['verdict']): ServerAnswer {
  const detail = {
    answers: 'answered in 4 ms',
    slow: 'answered in 4000 ms',
    truncated: 'answer cut short (truncated), in 4 ms',
    refused: 'REFUSED in 3 tries',
    servfail: 'SERVFAIL in 3 tries',
    'timed-out': 'no answer in 3 tries of 1.5 s',
    blocked: 'rejected (ICMP port unreachable)',
    'wrong-answer': 'no right answer',
    'not-asked': 'not asked: no route',
  }[verdict];
  const tried: Tried = { verdict, tries: 3, elapsedMs: undefined, detail };
  const whole: Tried = { ...tried, verdict: 'answers' };
  return { server, port: 53, byProtocol: { udp: tried, tcp: verdict === 'truncated' ? whole : tried } };
}
