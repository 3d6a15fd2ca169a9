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
  /** One line: `answered in 4 ms`, `no answer in 3 tries of 1.5 s`, `rejected (ICMP port unreachable)`. */
  readonly detail: string;
}

/** One server, asked by both protocols (by TLS alone where the Corefile says so). */
export interface ServerAnswer {
  readonly server: string;
  readonly port: number;
  readonly byProtocol: Readonly<Partial<Record<'udp' | 'tcp' | 'tls', Tried>>>;
}

/** It gave an answer that can be used by some protocol. */
export function answers(_answer: ServerAnswer): boolean {
  throw new Error('not built yet');
}

/** Nothing at all came back by any protocol, or ICMP in its stead: what a firewall on the way makes of it. */
export function isSilent(_answer: ServerAnswer): boolean {
  throw new Error('not built yet');
}

/** `8.8.8.8`, `10.0.0.2:5353`, `[2001:db8::1]:853`. */
export function serverKey(_server: { readonly server: string; readonly port: number }): string {
  throw new Error('not built yet');
}
