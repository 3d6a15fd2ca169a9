/** A connection as `conntrack -L` prints it: who asked whom, and from where the answers come. */
export interface Connection {
  readonly protocol: string;
  readonly original: Tuple;
  readonly reply: Tuple;
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

function parseConnection(line: string): Connection | undefined {
  const protocol = /^(\S+) /.exec(line)?.[1];
  const [original, reply] = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/g)].map(tuple);
  return protocol === undefined || !original || !reply ? undefined : { protocol, original, reply };
}

function tuple([, source = '', destination = '', sourcePort, destinationPort]: RegExpMatchArray): Tuple {
  return { source, destination, sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) };
}
