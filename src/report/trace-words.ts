import { ruleWords, tableWords } from '../netfilter/walk/decision-words.ts';
import type { TraceEnd, TracePacket, TraceService } from './trace-schema.ts';

type Assumption = TraceEnd['assumptions'][number];

/** `udp 203.0.113.7 → 10.0.0.5:8472, new, in over eth0`. */
export function packetWords(packet: TracePacket): string {
  const { source, destination, sourcePort, destinationPort, mark, outLink } = packet;
  const parts = [
    `${kindWords(packet)} ${withPort(source, sourcePort)} → ${withPort(destination, destinationPort)}`,
    packet.state.toLowerCase(),
    ...(mark === 0 ? [] : [`mark ${hex(mark)}`]),
    originWords(packet),
    ...(outLink === undefined ? [] : [`leaving over ${outLink}`]),
  ];
  return parts.join(', ');
}

function kindWords({ protocol, tcpFlags, icmpType, icmpCode, spi }: TracePacket): string {
  if (/^\d+$/.test(protocol)) return `protocol ${protocol}`;
  if (tcpFlags !== undefined) return `${protocol} (${tcpFlags.join(',') || 'no flags'})`;
  if (spi !== undefined) return `${protocol} (SPI ${hex(spi)})`;
  if (icmpType === undefined) return protocol;
  const name = icmpNames[`${protocol} ${icmpType}`];
  if (name !== undefined && !icmpCode) return `${protocol} ${name}`;
  return `${protocol} type ${icmpType}${icmpCode === undefined ? '' : ` code ${icmpCode}`}`;
}

const icmpNames: Readonly<Record<string, string>> = {
  'icmp 0': 'echo reply',
  'icmp 8': 'echo request',
  'icmpv6 128': 'echo request',
  'icmpv6 129': 'echo reply',
};

function originWords({ origin }: TracePacket): string {
  if (origin.kind === 'process') {
    return `from a process of this node${origin.uid === undefined ? '' : ` (uid ${origin.uid})`}`;
  }
  if (origin.link === null) return 'in over an unknown link';
  return `in over ${origin.link}${origin.told === 'by-route' ? ' (by route)' : ''}`;
}

function withPort(address: string, port: number | undefined): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** The rule's text is not in it. */
export function decisionWords({ fate, decidedBy }: TraceEnd): string {
  switch (decidedBy.kind) {
    case 'rule': {
      const { rule, rejectWith } = decidedBy;
      const isSaid = rejectWith === undefined || rule.text.includes(rejectWith);
      const answer = isSaid ? '' : `, which answers ${rejectWith}`;
      return `${fate === 'pass' ? 'last accepted by ' : ''}${ruleWords(rule)}${answer}`;
    }
    case 'policy':
      return `${fate === 'pass' ? 'last accepted by ' : ''}the policy of ${decidedBy.chain.chain}, ${tableWords(decidedBy.chain)}`;
    case 'nothing':
      return 'no rule stands in its way';
    case 'kernel':
      return `no rule: ${decidedBy.reason}`;
  }
}

export function wayWords({ fate, way, outLink }: TraceEnd): string | undefined {
  const over = outLink === null ? '' : ` over ${outLink}`;
  const isDone = fate === 'pass';
  switch (way) {
    case 'in':
      return isDone ? 'delivered to this node' : 'for this node itself';
    case 'forward':
      return `${isDone ? '' : 'to be '}forwarded${over}`;
    case 'out':
      return `${isDone ? '' : 'to be '}sent out${over}`;
    case null:
      return undefined;
  }
}

/**
 * What had to be supposed: what is left to chance, one for each chain, as a Service with many endpoints
 * leaves a choice to chance at each of its rules; what is not known, one for each reason.
 */
export function assumptionWords(
  assumptions: readonly Assumption[],
): { readonly label: 'chance' | 'doubt'; readonly text: string }[] {
  const lines = Map.groupBy(assumptions, ({ kind, reason, rule }) =>
    kind === 'chance' ? `${tableWords(rule)} ${rule.chain}` : `doubt ${reason}`,
  );
  return [...lines.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const reasons = new Set(alike.map(({ reason }) => reason)).size;
    const more = reasons > 1 ? `, and ${reasons - 1} more like it` : '';
    const places = placesWords(alike.map(({ rule }) => rule));
    const text = `${first.reason}${more}${places && ` (${places})`}`;
    return [{ label: first.kind === 'chance' ? 'chance' : 'doubt', text } as const];
  });
}

/** Chain by chain. Nothing for what is no single rule: the reason has said it. */
function placesWords(all: readonly Assumption['rule'][]): string {
  const rules = all.filter(({ number }) => number > 0);
  const chains = [...Map.groupBy(rules, (rule) => `${tableWords(rule)} ${rule.chain}`).values()];
  const most = 3;
  const words = chains.slice(0, most).flatMap((alike) => {
    const [first] = alike;
    const numbers = [...new Set(alike.map(({ number }) => number))].sort((a, b) => a - b);
    if (!first) return [];
    if (numbers.length === 1) return [ruleWords(first)];
    return [`rules ${ranges(numbers)} of ${first.chain}, ${tableWords(first)}`];
  });
  return [...words, ...(chains.length > most ? ['and more'] : [])].join('; ');
}

/** `2-4, 7`. */
function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** `Service default/web:http, 10.43.0.80:80/tcp`. */
export function serviceWords({ kind, name, address, port, protocol }: TraceService): string {
  const where = `${address === null ? `port ${port}` : withPort(address, port)}/${protocol}`;
  if (kind === 'service') return `Service ${name ?? 'without a name'}, ${where}`;
  return `Host ${address === null ? '' : 'port '}${where}${name === null ? '' : ` of pod ${name}`}`;
}
