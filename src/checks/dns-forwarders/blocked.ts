import { isPublicResolver } from '../../facts/dns/public-resolvers.ts';
import { isLoopback } from '../../facts/dns/resolv-conf.ts';
import {
  isAnswered,
  isSilent,
  isUnheard,
  type ServerAnswer,
  type Tried,
} from '../../facts/dns/server-answer.ts';
import type { Seen } from './seen.ts';
import { stateOf } from './verdicts.ts';

/** What becomes of questions that leave this host for port 53. */
export type Outwards =
  | Blocked
  /** This machine itself refuses to send them. */
  | { readonly kind: 'own-firewall' }
  /** Nobody at all answers: the network is away, or everything is stopped. */
  | { readonly kind: 'away'; readonly asked: number }
  /** No such thing can be said. */
  | { readonly kind: 'unclear' };

/** Public resolvers are silent, every one of them, and others answer: somebody forbids them. */
interface Blocked {
  readonly kind: 'blocked';
  readonly over: 'UDP and TCP' | 'UDP' | 'TCP';
  /** If those of the other one answer. */
  readonly family: Family | undefined;
  /** How many public ones were asked, and are silent. */
  readonly asked: number;
  /** One that answers, and is not public. */
  readonly answering: string;
}

type Family = 'IPv4' | 'IPv6';

/** Fewer might be down by themselves, all at once. */
const fewestPublic = 3;

export function judgeOutwards({ answers, candidates }: Seen): Outwards {
  const all = unlike([
    ...answers.fromHost.values(),
    ...candidates.publicAnswers.values(),
    ...candidates.candidates.map(({ answer }) => answer),
  ]).filter((answer) => stateOf(answer) !== 'unasked');
  const known = all.filter(({ server, port }) => port === 53 && isPublicResolver(server));
  // A stub on this host hides who answers it.
  const others = all
    .filter((answer) => !known.includes(answer))
    .sort((a, b) => Number(isLoopback(a.server)) - Number(isLoopback(b.server)));
  const tried = [...answers.fromHost.values(), ...known].flatMap(({ byProtocol }) =>
    Object.values(byProtocol),
  );
  if (tried.some(isRefusedHere)) return { kind: 'own-firewall' };
  const blocked =
    judgeBlocked(known, others) ??
    (['IPv4', 'IPv6'] as const)
      .map((family) =>
        judgeBlocked(
          known.filter(({ server }) => familyOf(server) === family),
          others,
          family,
        ),
      )
      .find((each) => each !== undefined);
  if (blocked) return blocked;
  const isAway = all.length >= fewestPublic && all.every(isSilent);
  return isAway ? { kind: 'away', asked: all.length } : { kind: 'unclear' };
}

function judgeBlocked(
  known: readonly ServerAnswer[],
  others: readonly ServerAnswer[],
  family?: Family,
): Blocked | undefined {
  if (known.length < fewestPublic) return undefined;
  const [udp, tcp] = (['udp', 'tcp'] as const).map((protocol) => {
    if (!known.every(({ byProtocol }) => isUnheard(byProtocol[protocol]))) return undefined;
    return others.find(({ byProtocol }) => isAnswered(byProtocol[protocol]))?.server;
  });
  const answering = udp ?? tcp;
  if (answering === undefined) return undefined;
  const over = udp && tcp ? 'UDP and TCP' : udp ? 'UDP' : 'TCP';
  return { kind: 'blocked', over, family, asked: known.length, answering };
}

export function familyOf(server: string): Family {
  return server.includes(':') ? 'IPv6' : 'IPv4';
}

function unlike(all: readonly ServerAnswer[]): readonly ServerAnswer[] {
  return [...new Map(all.map((answer) => [`${answer.server} ${answer.port}`, answer])).values()];
}

/** The kernel gives the sender this error when a rule of its own drops what it sends. */
function isRefusedHere({ verdict, detail }: Tried): boolean {
  return verdict === 'blocked' && /EPERM|EACCES/.test(detail);
}
