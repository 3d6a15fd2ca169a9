import type { Evidence, Finding, Severity } from '../../engine/finding.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import type { Decision } from '../../netfilter/walk/walk.ts';
import { closingCommands } from './closing-commands.ts';
import type { Exposed } from './exposed.ts';

/** To close a port is to decide who needs it: that is not done by a machine. */
export function describeExposure(exposed: Exposed): Finding {
  const { port: about, door, exposure } = exposed;
  const { port, protocol, title, risk, severity } = about;
  const { address, end, always } = exposure;
  const who = door.isPrivate ? 'everybody in the networks before it' : 'the whole world';
  const evidence: readonly Evidence[] = [
    { source: 'effect', observed: risk },
    {
      source: 'walk of a stranger',
      observed: `${end.packet.source} → ${address} port ${port}, arriving over ${door.link}: ${whoLetsIn(end.decidedBy)}`,
      expected: 'only hosts of the cluster',
    },
    ...(end.decidedBy.kind === 'rule' ? [{ source: 'rule', observed: end.decidedBy.rule.text }] : []),
    ...(door.isPrivate
      ? [
          {
            source: 'addresses',
            observed: `${door.link} has private addresses alone: strangers get here only if a NAT before the node lets them`,
          },
        ]
      : []),
  ];
  return {
    code: 'port-open-to-world',
    subject: `${port}/${protocol} ${door.family} ${door.link}`,
    severity: door.isPrivate ? milder[severity] : severity,
    effect: 'exposes',
    message: `${port}/${protocol} (${title}) is open to ${who} at ${address} (${door.link})${always ? '' : ', now and then'}: ${whoLetsIn(end.decidedBy)}`,
    traffic: { protocol, address, port, service: null, sentTo: [], live: [] },
    evidence,
    remedy: {
      kind: 'none',
      reason: `who needs ${port}/${protocol} is for you to say: ${closingCommands(exposed)}`,
    },
  };
}

function whoLetsIn(decision: Decision): string {
  if (decision.kind === 'nothing') return 'no rule stands in the way';
  return `${decisionWords(decision)} lets it in`;
}

const milder: Readonly<Record<Severity, Severity>> = { error: 'warning', warning: 'info', info: 'info' };
