/** What became of up to three tries of one question to one server by one protocol. */
export interface Tried {
  /**
   * `answers`: NOERROR or NXDOMAIN. `slow`: the same, and late. `truncated`: over UDP, cut short; that is
   * no fault while TCP answers.
   */
  readonly verdict:
    | 'answers'
    | 'slow'
    | 'truncated'
    | 'refused'
    | 'servfail'
    | 'timed-out'
    | 'blocked'
    | 'wrong-answer'
    | 'not-asked';
  /** How many tries it took, or were made. */
  readonly tries: number;
  readonly elapsedMs: number | undefined;
  /** It answers that there is no such name, or nothing of that kind by it. */
  readonly saysNone?: true;
  /** One line: `answered in 4 ms`, `no answer in 3 tries of 1.5 s`, `rejected (ICMP port unreachable)`. */
  readonly detail: string;
}

/** One server, asked by both protocols (by TLS alone where the Corefile says so). */
export interface ServerAnswer {
  readonly server: string;
  readonly port: number;
  readonly byProtocol: Readonly<Partial<Record<'udp' | 'tcp' | 'tls', Tried>>>;
}

/** With something that can be used. */
export function isAnswered(tried: Tried | undefined): boolean {
  return tried?.verdict === 'answers' || tried?.verdict === 'slow';
}

/** Something came back, whatever it says. */
export function isHeard(tried: Tried | undefined): boolean {
  return tried !== undefined && tried.verdict !== 'not-asked' && !isUnheard(tried);
}

/** Nothing came back, or ICMP in its stead: what a firewall on the way makes of it. */
export function isUnheard(tried: Tried | undefined): boolean {
  return tried?.verdict === 'timed-out' || tried?.verdict === 'blocked';
}

/** It gave an answer that can be used by some protocol. */
export function answers({ byProtocol }: ServerAnswer): boolean {
  return Object.values(byProtocol).some(isAnswered);
}

/**
 * What pods ask gets an answer from it. They ask over UDP, and CoreDNS asks as it is asked: a server that
 * answers over TCP alone is of no use to them.
 */
export function servesPods(answer: ServerAnswer): boolean {
  const { udp, tcp } = answer.byProtocol;
  if (udp === undefined) return answers(answer);
  return isAnswered(udp) || (udp.verdict === 'truncated' && isAnswered(tcp));
}

/** By some protocol nothing came back. */
export function isHalfSilent({ byProtocol }: ServerAnswer): boolean {
  return Object.values(byProtocol).some(isUnheard);
}

/** Nothing at all came back by any protocol. */
export function isSilent({ byProtocol }: ServerAnswer): boolean {
  const tried = Object.values(byProtocol);
  return tried.length > 0 && tried.every(isUnheard);
}

/** `8.8.8.8`, `10.0.0.2:5353`, `[2001:db8::1]:853`. */
export function serverKey({ server, port }: { readonly server: string; readonly port: number }): string {
  if (port === 53) return server;
  return server.includes(':') ? `[${server}]:${port}` : `${server}:${port}`;
}
