import { isAnswered, type ServerAnswer, servesPods, type Tried } from '../../facts/dns/server-answer.ts';

type Protocol = keyof ServerAnswer['byProtocol'];

/** What a server is to CoreDNS. `forcesTcp`: it asks over TCP whatever it is asked over. */
export type State = 'of-use' | 'useless' | 'unasked';

export function stateOf(answer: ServerAnswer | undefined, forcesTcp = false): State {
  const tried = Object.values(answer?.byProtocol ?? {});
  if (!answer || tried.every(({ verdict }) => verdict === 'not-asked')) return 'unasked';
  const { tcp } = answer.byProtocol;
  const isOfUse = forcesTcp && tcp ? isAnswered(tcp) : servesPods(answer);
  return isOfUse ? 'of-use' : 'useless';
}

/** Over UDP and over TCP. What UDP cuts short comes over TCP. */
export function answersByBoth({ byProtocol: { udp, tcp } }: ServerAnswer): boolean {
  return (isAnswered(udp) || udp?.verdict === 'truncated') && isAnswered(tcp);
}

export function has(answer: ServerAnswer, verdict: Tried['verdict']): boolean {
  return Object.values(answer.byProtocol).some((tried) => tried.verdict === verdict);
}

/** `udp: no answer in 3 tries of 1.5 s; tcp: answered in 4 ms`, or once for both. */
export function describeAnswer({ byProtocol }: ServerAnswer): string {
  return describeEach(byProtocol, ({ detail }) => detail);
}

/**
 * The same in words that are the same at every look at the same plight: how long it took, and how many tries,
 * is another matter each time, and would make another finding of it, to be repaired in vain once more.
 */
export function describePlight({ byProtocol }: ServerAnswer): string {
  return describeEach(byProtocol, ({ verdict, detail }) => {
    if (verdict === 'answers' || verdict === 'slow') return 'answered';
    if (verdict === 'truncated') return 'answer cut short (truncated)';
    return detail.replace(/ in \d+ tries\b( of [\d.]+ s)?| in [\d.]+ s$/, '');
  });
}

function describeEach(byProtocol: ServerAnswer['byProtocol'], describe: (tried: Tried) => string): string {
  const { udp, tcp } = byProtocol;
  if (udp && tcp && describe(udp) === describe(tcp)) return `udp and tcp: ${describe(udp)}`;
  const protocols: readonly Protocol[] = ['udp', 'tcp', 'tls'];
  const told = protocols.flatMap((protocol) => {
    const tried = byProtocol[protocol];
    return tried ? [`${protocol}: ${describe(tried)}`] : [];
  });
  return told.join('; ') || 'not asked';
}
