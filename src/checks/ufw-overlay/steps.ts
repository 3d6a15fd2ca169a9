import type { CommandStep, Step } from '../../engine/step.ts';
import type { Opening } from './opening.ts';
import { richRule } from './rich-rule.ts';
import { ufwRule } from './ufw-words.ts';

/** What makes an opening last: UFW keeps its rules itself, firewalld is told twice, for now and for good. */
export function stepsFor(opening: Opening): readonly Step[] {
  if (opening.kind === 'ufw') return [{ kind: 'ufw-rule', change: 'add', rule: ufwRule(opening.need) }];
  return [zoneStep(opening, ['--permanent']), zoneStep(opening, [])];
}

function zoneStep({ zone, need }: Opening & { kind: 'firewalld' }, scope: readonly string[]): CommandStep {
  const rule = richRule(need);
  const line = (verb: string) => ({
    tool: 'firewall-cmd' as const,
    args: [...scope, `--zone=${zone}`, `--${verb}-rich-rule=${rule}`],
  });
  const when = scope.length > 0 ? 'for good' : 'now';
  return {
    kind: 'command',
    title: `firewalld zone ${zone}, ${when}: let ${need.flow.name} in from ${need.source}`,
    command: line('add'),
    check: line('query'),
    revert: line('remove'),
    firewall: true,
    onlyOpens: true,
  };
}
