import type { Examination } from '../engine/examine.ts';
import type { Severity } from '../engine/finding.ts';
import type { FixResult } from '../engine/fix.ts';
import type { Settled } from '../engine/settle.ts';
import type { Step } from '../engine/step.ts';
import { describeStep } from '../engine/steps/steps.ts';
import type { Report } from './report-schema.ts';

export interface ReportInput {
  readonly version: string;
  readonly run: Report['run'];
  readonly examinations: readonly Examination[];
  /** What is or would be done; left out in a check, which changes nothing. */
  readonly steps?: readonly Step[];
  readonly fix?: FixResult['fix'] | undefined;
  readonly settled?: Settled | undefined;
  readonly notices?: readonly string[];
  /** Of an undo: what is left as it is, and why; a line each. */
  readonly refused?: readonly string[];
  /** Asked only to plan: then it is no shortcoming that nothing was done. */
  readonly isRehearsal?: boolean;
  readonly failOn: Severity;
}

export function buildReport(input: ReportInput): Report {
  const { version, run, examinations, steps = [], fix, settled, notices = [], refused = [], failOn } = input;
  const checks = examinations.map(({ check, diagnosis }) => ({
    id: check.id,
    title: diagnosis.outcome === 'findings' ? check.failureTitle : check.title,
    why: check.why,
    outcome: diagnosis.outcome,
    reasons: diagnosis.reasons,
    findings: diagnosis.findings,
    limits: diagnosis.limits,
    notes: diagnosis.notes,
  }));
  const hasFailed = settled?.outcome === 'incomplete';
  const exitCode = hasFailed ? 3 : Math.max(exitCodeOf(checks, fix, failOn), isLeftUndone(input) ? 1 : 0);
  return {
    schemaVersion: 1,
    tool: { name: 'k3s-doctor', version },
    run,
    exitCode,
    checks,
    plan: steps.map(describeForReport),
    ...(fix && { fix: describeFix(fix) }),
    ...(settled && { settled: describeSettled(settled) }),
    notices: [...notices, ...refused.map((reason) => `left as it is: ${reason}`)],
  };
}

/** Of what rests on no finding, such as an undo: whether something that was asked for was not done. */
function isLeftUndone({ examinations, fix, refused = [], isRehearsal }: ReportInput): boolean {
  if (refused.length > 0) return true;
  const isDone = !fix || fix.kind === 'done' || fix.kind === 'nothing-to-do';
  return examinations.length === 0 && !isDone && !isRehearsal;
}

/** A step as reports and the history show it. */
export function describeForReport(step: Step): Report['plan'][number] {
  const { title, command, input, changes, reversible } = describeStep(step);
  return { title, command, ...(input !== undefined && { input }), changes, reversible };
}

function describeSettled({ run, verb, outcome, notes }: Settled): NonNullable<Report['settled']> {
  return { run, verb, outcome, notes };
}

const rank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** The meaning of each code is in docs/exit-codes.md. */
function exitCodeOf(checks: Report['checks'], fix: FixResult['fix'] | undefined, failOn: Severity): number {
  if (fix?.kind === 'failed' || (fix && 'reverted' in fix && !fix.reverted.complete)) return 3;
  const remaining = checks.flatMap(({ findings }) =>
    findings.filter(({ remedy }) => fix?.kind !== 'done' || remedy.kind !== 'planned'),
  );
  if (remaining.some(({ severity }) => rank[severity] >= rank[failOn])) return 1;
  return checks.some(({ reasons, outcome }) => outcome !== 'skipped' && reasons.length > 0) ? 2 : 0;
}

function describeFix(fix: FixResult['fix']): NonNullable<Report['fix']> {
  switch (fix.kind) {
    case 'nothing-to-do':
      return { outcome: fix.kind, notes: [] };
    case 'not-applied':
      return { outcome: fix.kind, reason: fix.reason, notes: [] };
    case 'done':
      return { outcome: fix.kind, notes: fix.notes };
    case 'moved-on':
    case 'stopped':
    case 'failed':
      return {
        outcome: fix.kind,
        reason: fix.reason,
        notes: fix.reverted.notes,
        rollback: fix.reverted.complete ? 'complete' : 'incomplete',
      };
  }
}
