import type { Finding } from '../../engine/finding.ts';
import { type Judged, unrepaired } from '../../engine/judged.ts';
import { isAnswered, type ServerAnswer } from '../../facts/dns/server-answer.ts';
import { describeAnswer, has } from './verdicts.ts';
import { deedOf, protocolsWith } from './words.ts';
import type { Zone, ZoneServer } from './zones.ts';

/** What is wrong with single servers of a zone while others of it answer. `cause`: why one may be silent. */
export function judgeServers(
  zone: Zone,
  causeOf: (servers: readonly ZoneServer[]) => readonly string[],
): readonly Judged[] {
  return zone.servers.flatMap((server) => {
    const { answer, key, state, upstream } = server;
    const told = answer && state !== 'unasked' ? judgeServer(server, answer, zone) : undefined;
    if (!answer || !told) return [];
    const cause = told.isUnheard ? causeOf([server]) : [];
    const finding: Omit<Finding, 'remedy'> = {
      code: told.code,
      subject: `zone ${zone.name} ${key}`,
      severity: 'warning',
      message: [`${key} (${upstream.origin}) ${told.what}`, ...cause].join(' · '),
      effect: told.code === 'forwarder-slow' ? 'idle' : 'loses',
      evidence: [{ source: `${key} (${upstream.origin})`, observed: describeAnswer(answer) }],
    };
    return [unrepaired(finding, `nothing is changed while one answers: ${told.todo}`)];
  });
}

interface Told {
  readonly code: string;
  readonly what: string;
  readonly todo: string;
  /** Nothing comes back by some protocol. */
  readonly isUnheard?: true;
}

const takeOut = 'mend it, or take it out of what CoreDNS forwards to';

function judgeServer({ state }: ZoneServer, answer: ServerAnswer, zone: Zone): Told | undefined {
  const { udp, tcp } = answer.byProtocol;
  if (has(answer, 'wrong-answer')) {
    const over = protocolsWith(answer, ({ verdict }) => verdict === 'wrong-answer').join(' and ');
    return {
      code: 'forwarder-wrong-answer',
      what: `sends over ${over} what is no answer to the question: it is broken, or somebody is in between`,
      todo: 'take it out of what CoreDNS forwards to',
    };
  }
  if (isAnswered(udp) && tcp && !isAnswered(tcp)) {
    return {
      code: 'forwarder-half',
      what: 'answers over UDP alone: long answers (many addresses, TXT, DNSSEC) get lost',
      todo: 'let TCP to its port 53 through, or forward to another one',
      isUnheard: true,
    };
  }
  if (isAnswered(tcp) && udp && !isAnswered(udp) && udp.verdict !== 'truncated') {
    return {
      code: 'forwarder-half',
      what: 'answers over TCP alone, and pods ask over UDP',
      todo: 'let UDP to its port 53 through, or forward to another one',
      isUnheard: true,
    };
  }
  if (state === 'useless') {
    const [does] = deedOf(answer);
    // CoreDNS takes a server that says no for a healthy one, and hands its no on.
    if (has(answer, 'servfail') || has(answer, 'refused')) {
      const share = `about one question in ${zone.servers.length} fails`;
      return { code: 'forwarder-down', what: `${does}, which CoreDNS hands on: ${share}`, todo: takeOut };
    }
    const left = zone.servers.filter(({ state }) => state === 'of-use').length;
    const others = left === 1 ? 'only one other is left' : `${left} others are left`;
    return { code: 'forwarder-down', what: `${does}: ${others}`, todo: takeOut, isUnheard: true };
  }
  if (!has(answer, 'slow')) return undefined;
  const slowest = Math.max(...Object.values(answer.byProtocol).map(({ elapsedMs }) => elapsedMs ?? 0));
  return {
    code: 'forwarder-slow',
    what: `takes ${(slowest / 1000).toFixed(1)} s to answer, each time it was asked`,
    todo: 'it may be the server, or the way to it',
  };
}
