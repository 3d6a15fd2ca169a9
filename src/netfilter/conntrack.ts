/** A connection as `conntrack -L` prints it: who asked whom, and from where the answers come. */
export interface Connection {
  readonly protocol: string;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** Whether a packet ever came back. */
  readonly answered: boolean;
  /**
   * Of an established TCP connection: how long it is remembered if nothing is heard of it. Each packet
   * sets that back to the kernel's `nf_conntrack_tcp_timeout_established`.
   */
  readonly rememberedSeconds?: number;
}

export interface Tuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Reads connections with ports; lines of other protocols are left out. */
export function parseConnections(text: string): Connection[] {
  return text.split('\n').flatMap((line) => parseConnection(line) ?? []);
}

/** One line; undefined when it is no connection with ports. */
export function parseConnection(line: string): Connection | undefined {
  const protocol = /^(\S+) /.exec(line)?.[1];
  const [original, reply] = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g)].map(tuple);
  if (protocol === undefined || !original || !reply) return undefined;
  const remembered = /^tcp +6 +(\d+) ESTABLISHED /.exec(line)?.[1];
  return {
    protocol,
    original,
    reply,
    answered: !line.includes(' [UNREPLIED] '),
    ...(remembered !== undefined && { rememberedSeconds: Number(remembered) }),
  };
}

function tuple([, source = '', destination = '', sourcePort, destinationPort]: RegExpMatchArray): Tuple {
  return { source, destination, sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) };
}
