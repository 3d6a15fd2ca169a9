import type { Finding } from '../../engine/finding.ts';
import type { Ufw } from '../../facts/ufw.ts';
import type { Way } from '../../facts/ways/way.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { Decision, End, Walk } from '../../netfilter/walk/walk.ts';
import type { EssentialFlow } from './flows.ts';

export interface JudgedFlow {
  readonly findings: readonly Finding[];
  /** What could not be told, a line each. */
  readonly doubts: readonly string[];
  readonly note: string;
}

interface Walked {
  readonly way: Way;
  readonly walk: Walk;
}

export function judgeFlow(firewall: Firewall, flow: EssentialFlow, ufw: Ufw): JudgedFlow {
  const walked = flow.ways.map((way) => ({ way, walk: firewall.walk(way.packet) }));
  const passing = walked.filter(({ walk }) => walk.verdict === 'pass');
  const note = `${flow.name}: ${passing.length} of ${walked.length} ways that were walked are open`;
  if (flow.need === 'any' && passing.length > 0) return { findings: [], doubts: [], note };
  const unknown = walked.filter(({ walk }) => walk.verdict === 'unknown');
  const doubts = unknown.map(({ way, walk }) => `whether ${way.title} gets through: ${whyUnknown(walk)}`);
  if (flow.need === 'any' && unknown.length > 0) return { findings: [], doubts: doubts.slice(0, 1), note };
  const blocked = walked.filter(({ walk }) => walk.verdict !== 'pass' && walk.verdict !== 'unknown');
  return { findings: byCause(blocked).map((same) => describe(flow, same, ufw)), doubts, note };
}

/** One finding for each rule that stops packets of a flow. */
function byCause(blocked: readonly Walked[]): readonly (readonly [Walked, ...Walked[]])[] {
  const groups = Map.groupBy(blocked, ({ walk }) => causeOf(walk));
  return [...groups.values()].flatMap(([first, ...others]) => (first ? [[first, ...others] as const] : []));
}

function causeOf(walk: Walk): string {
  const end = stopped(walk);
  return end ? decisionWords(end.decidedBy) : 'nothing that is known';
}

function stopped({ ends }: Walk): End | undefined {
  return ends.find(({ fate }) => fate !== 'pass');
}

function describe(
  { name, hurts, severity }: EssentialFlow,
  [first, ...others]: readonly [Walked, ...Walked[]],
  ufw: Ufw,
): Finding {
  const { way, walk } = first;
  const decidedBy = stopped(walk)?.decidedBy;
  const cause = causeOf(walk);
  const isUfws = ufw.kind === 'active' && isUfwDefault(decidedBy);
  const done = { drop: 'dropped', reject: 'rejected', depends: 'let through only sometimes' } as const;
  const what = walk.verdict === 'pass' || walk.verdict === 'unknown' ? 'stopped' : done[walk.verdict];
  const family = way.packet.family === 'ipv6' ? 'IPv6' : 'IPv4';
  return {
    code: 'flow-blocked',
    subject: `${name} ${family} ${cause.replace(/^rule \d+ of /, '')}`,
    severity: walk.verdict === 'depends' ? 'warning' : severity,
    message: `${name}: ${what} by ${isUfws ? "UFW's default, " : ''}${cause}: ${hurts}`,
    effect: 'rejects',
    evidence: [
      { source: 'packet walk', observed: `${way.title} is ${what}` },
      ...(decidedBy?.kind === 'rule' ? [{ source: cause, observed: decidedBy.rule.text }] : []),
      ...(others.length > 0
        ? [{ source: 'packet walk', observed: `so are ${others.length} more like it` }]
        : []),
    ],
    remedy: { kind: 'none', reason: isUfws ? ufwAdvice(way) : advice(way) },
  };
}

/** UFW denies by the policy of a built-in chain, and rejects by a chain of its own. */
function isUfwDefault(decision: Decision | undefined): boolean {
  if (decision?.kind === 'policy') return /^(INPUT|FORWARD)$/.test(decision.chain.chain);
  return decision?.kind === 'rule' && /^ufw6?-(reject|skip-to-policy)-/.test(decision.rule.chain);
}

function ufwAdvice({ packet, isService = false }: Way): string {
  const { source, transport } = packet;
  const port = 'destinationPort' in transport ? transport.destinationPort : undefined;
  if (isService || port === undefined)
    return 'doctor fix forward-rules opens the way; if it passes, look again';
  return `ufw allow from ${source} to any port ${port} proto ${transport.protocol}; for all pods, their network in place of ${source}`;
}

/** The walk can be seen again, and what would help depends on whose rule it is. */
function advice({ packet }: Way): string {
  const { source, destination, transport, origin } = packet;
  const port = 'destinationPort' in transport ? ` --dport ${transport.destinationPort}` : '';
  const over = origin.kind === 'link' && origin.name !== undefined ? ` --in ${origin.name}` : '';
  return `whose rule it is decides what to do; each step of the way: doctor trace -v --from ${source} --to ${destination} --proto ${transport.protocol}${port}${over}`;
}

function whyUnknown({ ends }: Walk): string {
  const doubt = ends.flatMap(({ assumptions }) => assumptions).find(({ kind }) => kind === 'unknown');
  return doubt
    ? `${doubt.reason} (${decisionWords({ kind: 'rule', rule: doubt.rule })})`
    : 'the rules could not be read';
}
