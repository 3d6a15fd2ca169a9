import type { Forward } from '../../coredns/forwards.ts';
import { listed } from '../../engine/listed.ts';
import type { Candidate } from '../../facts/dns/candidates.ts';
import { customFolder } from '../../facts/dns/corefile.ts';
import { isAnswered, type ServerAnswer, type Tried } from '../../facts/dns/server-answer.ts';
import type { Outwards } from './blocked.ts';
import type { ZoneServer } from './zones.ts';

/** `8.8.8.8 and 1.1.1.1 (Corefile, line 18) do not answer, 10.0.0.2 (/etc/resolv.conf) refuses`. */
export function whatServersDo(servers: readonly ZoneServer[]): string {
  const byDeed = Map.groupBy(servers, ({ answer }) => deedOf(answer));
  return [...byDeed]
    .map(([[one, several], those]) => `${withOrigins(those)} ${those.length === 1 ? one : several}`)
    .join(', ');
}

/** Each with where it was read, once for all that were read there. */
function withOrigins(servers: readonly ZoneServer[]): string {
  const byOrigin = Map.groupBy(servers, ({ upstream }) => upstream.origin);
  return listed([...byOrigin].map(([origin, those]) => `${listed(those.map(({ key }) => key))} (${origin})`));
}

/** `10.0.0.2 (resolver of this host), 185.12.64.1 and 185.12.64.2 (provider hetzner)`. */
export function candidateWords(candidates: readonly Candidate[]): string {
  const byOrigin = Map.groupBy(candidates, ({ origin }) => origin);
  return [...byOrigin]
    .map(([origin, those]) => `${listed(those.map(({ server }) => server))} (${origin})`)
    .join(', ');
}

/** For one server, and for several. */
type Deed = readonly [string, string];

const deeds = {
  silent: ['does not answer', 'do not answer'],
  rejected: ['is rejected', 'are rejected'],
  tcpOnly: ['answers over TCP alone, and pods ask over UDP', 'answer over TCP alone, and pods ask over UDP'],
  cutShort: ['sends cut answers, and none over TCP', 'send cut answers, and none over TCP'],
  servfail: ['can resolve nothing (SERVFAIL)', 'can resolve nothing (SERVFAIL)'],
  refused: ['refuses to answer', 'refuse to answer'],
  wrong: ['sends answers to something else', 'send answers to something else'],
} as const satisfies Readonly<Record<string, Deed>>;

export function deedOf(answer: ServerAnswer | undefined): Deed {
  const { udp, tcp } = answer?.byProtocol ?? {};
  if (isAnswered(tcp) && !isAnswered(udp)) return deeds.tcpOnly;
  if (udp?.verdict === 'truncated') return deeds.cutShort;
  const verdicts = Object.values(answer?.byProtocol ?? {}).map(({ verdict }) => verdict);
  const first = (['servfail', 'refused', 'wrong-answer'] as const).find((each) => verdicts.includes(each));
  if (first === 'servfail') return deeds.servfail;
  if (first === 'refused') return deeds.refused;
  if (first === 'wrong-answer') return deeds.wrong;
  return verdicts.includes('blocked') && !verdicts.includes('timed-out') ? deeds.rejected : deeds.silent;
}

export function outwardsWords(outwards: Outwards): readonly string[] {
  switch (outwards.kind) {
    case 'blocked': {
      const over = outwards.over === 'UDP and TCP' ? '' : ` over ${outwards.over}`;
      return [
        `port 53 is blocked outwards: none of ${outwards.asked} public resolvers answers${over}${outwards.family ? ` in ${outwards.family}` : ''}, ${outwards.answering} does`,
      ];
    }
    case 'own-firewall':
      return [
        "this machine's own firewall drops the questions (ufw status, iptables -S OUTPUT, nft list ruleset)",
      ];
    case 'away':
      return [
        `nobody does, of ${outwards.asked} that were asked: the network is away, or lets nothing out to port 53`,
      ];
    case 'unclear':
      return [];
  }
}

/** `udp`, as people write it. */
export function protocolsWith(
  answer: ServerAnswer,
  is: (tried: Tried) => boolean,
): readonly ('UDP' | 'TCP' | 'TLS')[] {
  const names = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } as const;
  return (['udp', 'tcp', 'tls'] as const).flatMap((protocol) => {
    const tried = answer.byProtocol[protocol];
    return tried && is(tried) ? [names[protocol]] : [];
  });
}

/** `Corefile, line 18`; of ConfigMap coredns-custom `coredns-custom, key a.override, line 2`. */
export function placeOf({ file, directive }: Forward): string {
  return `${fileWords(file)}, line ${directive.line}`;
}

function fileWords(file: string | undefined): string {
  if (file === undefined) return 'Corefile';
  const key = customKey(file);
  return key ? `coredns-custom, key ${key}` : file;
}

/** Its key in ConfigMap coredns-custom; undefined when it stands elsewhere. */
export function customKeyOf({ file }: Forward): string | undefined {
  return file && customKey(file);
}

function customKey(file: string): string | undefined {
  return file.startsWith(customFolder) ? file.slice(customFolder.length) : undefined;
}

/** As it stands in a Corefile. */
export function sampleLine(servers: readonly string[]): string {
  return `forward . ${servers.join(' ')}`;
}

/** What it forwards to, as written. */
export function targetsOf({ upstreams }: Forward): string {
  return upstreams.map(({ text }) => text).join(' ');
}
