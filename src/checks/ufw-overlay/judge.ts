import type { NeededFlow } from '../../facts/flow.ts';
import { ruleWords } from '../../netfilter/walk/decision-words.ts';
import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { End } from '../../netfilter/walk/walk.ts';
import { walkFlow } from '../../netfilter/walk/walk-flow.ts';

/** A flow that another host needs and this node's rules do not let in. */
export interface Gap {
  readonly need: NeededFlow;
  readonly verdict: 'drop' | 'reject' | 'depends';
  /** Of a packet that is stopped. */
  readonly end: End;
  readonly link: string | undefined;
  /** What becomes of what belongs to a connection that the kernel knows already. */
  readonly established: 'pass' | 'stopped' | 'unknown';
}

export interface Judged {
  readonly gaps: readonly Gap[];
  /** A line for each flow that could not be judged. */
  readonly undetermined: readonly string[];
}

/** Walks each flow as the first packet of a connection, and where that is stopped as a later one. */
export function judgeFlows(firewall: Firewall, needed: readonly NeededFlow[]): Judged {
  const gaps: Gap[] = [];
  const doubts = new Map<string, string[]>();
  for (const need of needed) {
    const { verdict, end, link } = walkNeed(firewall, need, 'NEW');
    if (verdict === 'pass') continue;
    if (verdict === 'unknown' || end === undefined) {
      const why = describeDoubt(end);
      doubts.set(why, [...(doubts.get(why) ?? []), `${sender(need)} to ${need.flow.name}`]);
      continue;
    }
    const later = walkNeed(firewall, need, 'ESTABLISHED').verdict;
    const established = later === 'pass' || later === 'unknown' ? later : 'stopped';
    gaps.push({ need, verdict, end, link, established });
  }
  const undetermined = [...doubts].map(
    ([why, flows]) => `whether these pass cannot be told: ${listSome(flows)}: ${why}`,
  );
  return { gaps, undetermined };
}

function listSome(flows: readonly string[]): string {
  const shown = flows.slice(0, 6).join(', ');
  return flows.length > 6 ? `${shown} and ${flows.length - 6} more` : shown;
}

function walkNeed(firewall: Firewall, { flow, ...packet }: NeededFlow, state: 'NEW' | 'ESTABLISHED') {
  const { protocol, ports, sourcePorts } = flow;
  return walkFlow(firewall, { ...packet, protocol, ports, sourcePorts }, state);
}

/** What had to be supposed for an end. */
export function describeDoubt(end: End | undefined): string {
  const doubt = end?.assumptions.find(({ kind }) => kind === 'unknown');
  if (doubt === undefined) return 'the rules could not be read';
  return doubt.rule.number === 0 ? doubt.reason : `${doubt.reason} (${ruleWords(doubt.rule)})`;
}

/** `n2 (10.0.0.2)`, or the address alone. */
export function sender({ node, source }: Pick<NeededFlow, 'node' | 'source'>): string {
  return node === undefined ? source : `${node} (${source})`;
}
