import type { Examination } from '../engine/examine.ts';
import type { Severity } from '../engine/finding.ts';
import type { FixResult } from '../engine/fix.ts';
import { describeStep } from '../engine/steps/steps.ts';
import type { Report } from './report-schema.ts';

export interface ReportInput {
  readonly version: string;
  readonly run: Report['run'];
  readonly examinations: readonly Examination[];
  readonly fix?: FixResult['fix'];
  readonly failOn: Severity;
}

export function buildReport({ version, run, examinations, fix, failOn }: ReportInput): Report {
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
  // The batch for thousands of chains is long, and a check changes nothing.
  const planned = run.verb === 'fix' ? examinations : [];
  const plan = planned
    .flatMap(({ diagnosis }) => diagnosis.steps)
    .map((step) => {
      const { input, ...rest } = describeStep(step);
      return { ...rest, ...(input !== undefined && { input }) };
    });
  const exitCode = exitCodeOf(checks, fix, failOn);
  return {
    schemaVersion: 1,
    tool: { name: 'k3s-doctor', version },
    run,
    exitCode,
    checks,
    plan,
    ...(fix && { fix: describeFix(fix) }),
  };
}

const rank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** The meaning of each code is in docs/exit-codes.md. */
function exitCodeOf(checks: Report['checks'], fix: FixResult['fix'] | undefined, failOn: Severity): number {
  if (fix?.kind === 'failed' || (fix?.kind === 'moved-on' && !fix.reverted.complete)) return 3;
  const remaining = checks.flatMap(({ findings }) =>
    findings.filter(({ remedy }) => fix?.kind !== 'done' || remedy.kind === 'none'),
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
    case 'failed':
      return {
        outcome: fix.kind,
        reason: fix.reason,
        notes: fix.reverted.notes,
        rollback: fix.reverted.complete ? 'complete' : 'incomplete',
      };
  }
}
