import { ruleWords, tableWords } from '../netfilter/walk/decision-words.ts';
import type { TraceEnd, TracePacket, TraceService } from './trace-schema.ts';

type Assumption = TraceEnd['assumptions'][number];

/** `udp 203.0.113.7 → 10.0.0.5:8472, new, arriving over eth0`. */
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
  if (origin.link === null) return 'arriving over a link that is not known';
  return `arriving over ${origin.link}${origin.told === 'by-route' ? ' (by the routes)' : ''}`;
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
      const answer = decidedBy.rejectWith === undefined ? '' : `, which answers ${decidedBy.rejectWith}`;
      return `${fate === 'pass' ? 'last accepted by ' : ''}${ruleWords(decidedBy.rule)}${answer}`;
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
      return isDone ? 'delivered to this node' : 'on its way to this node itself';
    case 'forward':
      return isDone ? `forwarded${over}` : `on its way through this node${over && `, out${over}`}`;
    case 'out':
      return isDone ? `sent out${over}` : `on its way out${over}`;
    case null:
      return undefined;
  }
}

/**
 * What had to be supposed, one for each chain and kind: a Service with many endpoints leaves a choice to
 * chance at each of its rules.
 */
export function assumptionWords(
  assumptions: readonly Assumption[],
): { readonly label: 'chance' | 'doubt'; readonly text: string }[] {
  const chains = Map.groupBy(assumptions, ({ kind, reason, rule }) =>
    [kind, tableWords(rule), rule.chain, kind === 'unknown' ? reason : ''].join(' '),
  );
  return [...chains.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    const reasons = [...new Set(alike.map(({ reason }) => reason))];
    const more = reasons.length > 1 ? `, and ${reasons.length - 1} more like it` : '';
    const place = placeWords(alike.map(({ rule }) => rule));
    const text = `${first.reason}${more}${place && ` (${place})`}`;
    return [{ label: first.kind === 'chance' ? 'chance' : 'doubt', text } as const];
  });
}

/** Of one chain. Nothing for what is no rule: the reason has said it. */
function placeWords(rules: readonly Assumption['rule'][]): string {
  const [first] = rules;
  const numbers = [...new Set(rules.map(({ number }) => number))].sort((a, b) => a - b);
  if (!first || first.table === '') return '';
  if (numbers.length === 1) return ruleWords(first);
  return `rules ${ranges(numbers)} of ${first.chain}, ${tableWords(first)}`;
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
