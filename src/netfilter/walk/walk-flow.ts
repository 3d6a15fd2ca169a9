import type { Family } from '../ruleset.ts';
import { arrivalLinks } from './arrival-links.ts';
import type { Firewall } from './firewall.ts';
import type { ConnectionState, Transport } from './packet.ts';
import type { End, Walk } from './walk.ts';

/** What somebody sends to this node, over and over: many packets that differ in what does not matter. */
export interface IncomingFlow {
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'esp' | 'ah';
  /** The first and the last. */
  readonly ports: readonly [number, number] | undefined;
  readonly sourcePorts: readonly number[];
}

/** What becomes of a flow: the same for all its packets, or of the one that fares worst. */
export interface FlowFate {
  readonly verdict: Walk['verdict'];
  /** Where the verdict is no `pass`: an end that is none; of one that is, any. */
  readonly end: End | undefined;
  /** Over which that packet came. */
  readonly link: string | undefined;
}

/** The ends of its ranges of ports stand for all of it, over each link that it may come over. */
export function walkFlow(firewall: Firewall, flow: IncomingFlow, state: ConnectionState): FlowFate {
  const { family, source, destination } = flow;
  let worst: FlowFate | undefined;
  for (const link of arrivalLinks(firewall.reading.network, flow)) {
    for (const transport of transportsOf(flow)) {
      const origin = { kind: 'link', name: link } as const;
      const walk = firewall.walk({ family, origin, source, destination, transport, state });
      if (worst && severity[walk.verdict] <= severity[worst.verdict]) continue;
      worst = { verdict: walk.verdict, end: decisiveEnd(walk), link };
    }
  }
  if (worst === undefined) throw new RangeError('a flow without packets');
  return worst;
}

const severity: Readonly<Record<Walk['verdict'], number>> = {
  pass: 0,
  unknown: 1,
  depends: 2,
  reject: 3,
  drop: 3,
};

function decisiveEnd({ ends }: Walk): End | undefined {
  return ends.find(({ fate }) => fate !== 'pass') ?? ends[0];
}

function transportsOf({ protocol, ports, sourcePorts }: IncomingFlow): readonly Transport[] {
  if (protocol === 'esp' || protocol === 'ah') return [{ protocol }];
  const destinations = [...new Set(ports)];
  return destinations.flatMap((destinationPort) =>
    sourcePorts.map((sourcePort) => ({ protocol, sourcePort, destinationPort })),
  );
}
