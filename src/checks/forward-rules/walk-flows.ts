import { decisionWords, ruleWords } from '../../netfilter/walk/decision-words.ts';
import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { ConnectionState, Packet } from '../../netfilter/walk/packet.ts';
import type { End, Walk } from '../../netfilter/walk/walk.ts';
import type { PodFlow } from './flows.ts';

/** A packet of a flow that does not get through. */
export interface Blocked {
  readonly flow: PodFlow;
  readonly protocol: 'TCP' | 'UDP';
  readonly state: ConnectionState;
  readonly end: End;
}

export interface Walked {
  readonly blocked: readonly Blocked[];
  /** A line for each way in which it could not be told. */
  readonly doubts: readonly string[];
}

/** Walks the first and a later packet of a connection of each flow. */
export function walkFlows(firewall: Firewall, flows: readonly PodFlow[]): Walked {
  const blocked: Blocked[] = [];
  const doubts = new Map<string, Set<string>>();
  for (const flow of flows) {
    for (const transport of flow.transports) {
      for (const state of states) {
        const { family, source, destination, inLink, outLink } = flow;
        const origin = { kind: 'link', name: inLink } as const;
        const packet: Packet = { family, origin, outLink, source, destination, transport, state };
        const walk = firewall.walk(packet);
        const [end] = walk.ends;
        if (walk.verdict === 'pass') continue;
        if ((walk.verdict === 'drop' || walk.verdict === 'reject') && end) {
          blocked.push({ flow, protocol: transport.protocol === 'udp' ? 'UDP' : 'TCP', state, end });
          continue;
        }
        const why = describeDoubt(walk);
        doubts.set(why, (doubts.get(why) ?? new Set()).add(flow.name));
      }
    }
  }
  return { blocked, doubts: [...doubts].map(([why, names]) => `${[...names].join(', ')}: ${why}`) };
}

const states = ['NEW', 'ESTABLISHED'] as const satisfies readonly ConnectionState[];

function describeDoubt({ verdict, ends }: Walk): string {
  const kind = verdict === 'depends' ? 'chance' : 'unknown';
  const found = ends.flatMap(({ assumptions }) => assumptions).find((each) => each.kind === kind);
  const at = found ? `${ruleWords(found.rule)}: ${found.reason}` : undefined;
  if (verdict === 'unknown') return `whether it passes cannot be told: ${at ?? 'rules could not be read'}`;
  const stops = ends.find(({ fate }) => fate !== 'pass');
  return `passes sometimes alone: ${at ?? (stops ? decisionWords(stops.decidedBy) : 'that is left to chance')}`;
}
