import { type CheckSettings, type Config, defaultConfig, type Guards } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { Examination } from '../../../src/engine/examine.ts';
import { type Finding, findingKey } from '../../../src/engine/finding.ts';
import type { FileWriteStep } from '../../../src/engine/step.ts';

export const minute = 60_000;
export const start = new Date('2026-11-21T12:00:00.000Z');

export function later(minutes: number, from = start): Date {
  return new Date(from.getTime() + minutes * minute);
}

/** A problem that one file write repairs. */
export function problem(subject: string, more: Partial<Finding> = {}): Finding {
  return {
    code: 'wrong-file',
    subject,
    severity: 'error',
    message: `${subject} is wrong`,
    effect: 'captures',
    evidence: [{ source: subject, observed: 'wrong' }],
    remedy: { kind: 'planned' },
    ...more,
  };
}

export function keyOf(subject: string): string {
  return findingKey('iptables-ghosts', { code: 'wrong-file', subject });
}

/** What the one check found. Each finding is repaired by a step of its own, unless all go together. */
export function examinationOf(
  findings: readonly Finding[],
  { together = false, ...more }: Partial<Diagnosis> & { together?: boolean } = {},
): Examination {
  return {
    check: {
      id: 'iptables-ghosts',
      title: 'No wrong files',
      failureTitle: 'Wrong files',
      severity: 'error',
      why: 'They are read.',
      run: async () => {
        throw new Error('nobody runs it here');
      },
    },
    diagnosis: {
      outcome: findings.length > 0 ? 'findings' : 'ok',
      reasons: [],
      findings,
      limits: [],
      notes: [],
      plan(mayRepair) {
        const planned = findings.filter(({ remedy }) => remedy.kind === 'planned');
        const repairs = planned.filter(mayRepair);
        if (together && repairs.length < planned.length) return { steps: [], repairs: [] };
        return { steps: repairs.map(({ subject }) => writeOf(subject)), repairs };
      },
      ...more,
    },
  };
}

export function writeOf(subject: string): FileWriteStep {
  return { kind: 'file-write', path: `/etc/${subject}`, content: 'right', basedOn: 'wrong', mode: 0o644 };
}

export function configWith({
  settings = {},
  ...guards
}: Partial<Guards> & { readonly settings?: Partial<CheckSettings> } = {}): Config {
  const config = defaultConfig();
  return {
    ...config,
    guards: { ...config.guards, ...guards },
    checks: { ...config.checks, 'iptables-ghosts': { ...config.checks['iptables-ghosts'], ...settings } },
  };
}
