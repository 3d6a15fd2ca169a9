import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import { createFirewall } from '../../netfilter/walk/firewall.ts';
import { walkFlow } from '../../netfilter/walk/walk-flow.ts';
import { commandsFor } from './by-hand.ts';
import { describeDoubt, type Gap, sender } from './judge.ts';
import { type Firewalls, findOpening, type Obstacle, type Opening } from './opening.ts';
import { stepsFor } from './steps.ts';
import { withOpenings } from './with-openings.ts';

export interface FoundGap {
  readonly finding: Finding;
  /** None where it is not repaired. */
  readonly steps: readonly Step[];
}

/**
 * A finding for each gap. One is repaired only if the walk shows that our rule would open it: what
 * stands behind the rule that decides now would decide then.
 */
export function findGaps(gaps: readonly Gap[], firewalls: Firewalls): readonly FoundGap[] {
  const answers = gaps.map((gap) => ({ gap, answer: findOpening(gap, firewalls) }));
  const openings = answers.flatMap(({ answer }) => (answer.kind === 'obstacle' ? [] : [answer]));
  const opened = createFirewall(withOpenings(firewalls.reading, openings));
  const judged = answers.map(({ gap, answer }) => ({
    gap,
    answer: answer.kind === 'obstacle' ? answer : (whatIsLeft(gap, answer) ?? answer),
  }));
  const alike = Map.groupBy(
    judged.filter(({ answer }) => answer.kind === 'obstacle'),
    ({ gap, answer }) => reasonKey(gap, answer),
  );
  return judged.map(({ gap, answer }) => {
    if (answer.kind !== 'obstacle') {
      return { finding: describeGap(gap, { kind: 'planned' }, ownerOf(answer)), steps: stepsFor(answer) };
    }
    const same = alike.get(reasonKey(gap, answer))?.map((each) => each.gap) ?? [gap];
    const commands = commandsFor(same, answer);
    const reason = `${gap.need.flow.name}: ${answer.why}${commands === undefined ? '' : `; by hand: ${commands}`}`;
    return { finding: describeGap(gap, { kind: 'none', reason }), steps: [] };
  });

  function whatIsLeft(gap: Gap, opening: Opening): Obstacle | undefined {
    const { flow, ...packet } = gap.need;
    const { protocol, ports, sourcePorts } = flow;
    const then = walkFlow(opened, { ...packet, protocol, ports, sourcePorts }, 'NEW');
    if (then.verdict === 'pass') return undefined;
    const tool = opening.kind === 'ufw' ? 'UFW' : 'firewalld';
    if (then.verdict === 'unknown' || then.end === undefined) {
      const why = `whether a rule of ${tool}'s would open it cannot be told: ${describeDoubt(then.end)}`;
      return { kind: 'obstacle', why, way: { kind: 'none' } };
    }
    const next = decisionWords(then.end.decidedBy);
    const why = `a rule of ${tool}'s alone would not open it: ${next} stands in the way, too`;
    return { kind: 'obstacle', why, way: { kind: 'two', opening, next: then.end } };
  }
}

/** Findings with the same reason share their commands, so that each is printed once. */
function reasonKey({ need, end }: Gap, answer: Obstacle | Opening): string {
  const why = answer.kind === 'obstacle' ? answer.why : '';
  return `${need.flow.name} ${need.family} ${why} ${decisionWords(end.decidedBy)}`;
}

/** Whose default it is that decides. */
function ownerOf(opening: Opening): string {
  return opening.kind === 'ufw' ? "UFW's default, " : `firewalld's zone ${opening.zone}, `;
}

function describeGap(gap: Gap, remedy: Finding['remedy'], owner = ''): Finding {
  const { need, end, verdict, link } = gap;
  const { flow, destination, family } = need;
  const verb = { drop: 'is dropped by', reject: 'is rejected by', depends: 'gets in sometimes alone:' }[
    verdict
  ];
  const [port] = flow.ports ?? [];
  return {
    code: 'peer-blocked',
    subject: `${need.source} ${flow.name}`,
    severity: flow.severity,
    effect: 'rejects',
    message: `${sender(need)} → ${flow.name} (${flow.title}) ${verb} ${owner}${decisionWords(end.decidedBy)}`,
    ...(port !== undefined && {
      traffic: {
        protocol: flow.protocol,
        address: destination,
        port,
        service: null,
        sentTo: [],
        live: [],
      },
    }),
    evidence: [
      { source: 'effect', observed: flow.hurts },
      {
        source: `walk of a new ${family === 'ipv4' ? 'IPv4' : 'IPv6'} connection`,
        observed: `${need.source} → ${destination}, arriving over ${link ?? 'a link that is not known'}: ${verdict}`,
        expected: 'pass',
      },
      ...(end.decidedBy.kind === 'rule' ? [{ source: 'rule', observed: end.decidedBy.rule.text }] : []),
      { source: 'an established one', observed: describeEstablished(gap) },
    ],
    remedy,
  };
}

function describeEstablished({ established, need: { flow } }: Gap): string {
  if (established === 'stopped') return 'is stopped, too';
  if (established === 'unknown') return 'cannot be told';
  return flow.protocol === 'tcp'
    ? 'passes: what is open already goes on'
    : 'passes: while this host sends first, and often enough, all looks well';
}
