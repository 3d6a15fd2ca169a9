import { count } from '../engine/count.ts';
import { doneWords } from './done-words.ts';
import type { Report } from './report-schema.ts';
import { settledWords } from './settled-words.ts';

/** What one line of a log says, for a reader who sees no other. */
export interface ReportLine {
  readonly level: 'error' | 'warn' | 'info';
  readonly text: string;
  /** The same for programs. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Of each check. journald drops lines of a service that prints ten thousand at once, the last ones first. */
const maxFindings = 100;

/**
 * A line for what became of an earlier run, for each finding, for each check that could not judge, for
 * each notice; the last one says what the run came to.
 */
export function reportLines(report: Report): readonly ReportLine[] {
  const { run, checks, notices } = report;
  const lines: readonly ReportLine[] = [
    ...settledLines(report),
    ...checks.flatMap((check) => linesOf(check, report)),
    ...notices.map((notice) => ({ level: 'warn', text: `${run.verb}: ${notice}`, fields: {} }) as const),
    outcomeOf(report),
  ];
  // Names on a node are anybody's: none may look like a line of its own.
  return lines.map((line) => ({ ...line, text: line.text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ') }));
}

type CheckReport = Report['checks'][number];
type FindingReport = CheckReport['findings'][number];

function settledLines({ settled }: Report): readonly ReportLine[] {
  if (settled === undefined) return [];
  const { run, outcome, notes } = settled;
  const text = `settled: ${[settledWords(settled), ...notes].join('; ')}`;
  return [{ level: outcome === 'incomplete' ? 'error' : 'warn', text, fields: { settledRun: run, outcome } }];
}

const levels = { error: 'error', warning: 'warn', info: 'info' } as const;

function linesOf(check: CheckReport, report: Report): readonly ReportLine[] {
  const { id, findings, reasons, outcome } = check;
  const hidden = findings.slice(maxFindings);
  const worst = (['error', 'warning'] as const).find((level) =>
    hidden.some((each) => each.severity === level),
  );
  const judged = outcome === 'unknown' ? 'unknown' : 'in part unknown';
  return [
    ...findings.slice(0, maxFindings).map((finding): ReportLine => {
      const { code, severity, effect, message, remedy } = finding;
      return {
        level: levels[severity],
        text: `${id}: ${severity}: ${message}${remarkOn(finding, report)}`,
        fields: { check: id, code, severity, effect, remedy: remedy.kind },
      };
    }),
    ...(hidden.length > 0
      ? [
          {
            level: levels[worst ?? 'info'],
            text: `${id}: and ${hidden.length} more (doctor check ${id} --verbose shows all)`,
            fields: { check: id, more: hidden.length },
          },
        ]
      : []),
    ...(outcome !== 'skipped' && reasons.length > 0
      ? [
          {
            level: 'warn',
            text: `${id}: ${judged}: ${reasons.join('; ')}`,
            fields: { check: id, outcome },
          } as const,
        ]
      : []),
  ];
}

function remarkOn({ remedy }: FindingReport, { fix }: Report): string {
  if (remedy.kind === 'planned') return fix?.outcome === 'done' ? ' [repaired]' : '';
  return ` [${{ none: 'not repairable', held: 'held' }[remedy.kind]}: ${remedy.reason}]`;
}

function outcomeOf({ run, checks, plan, fix, exitCode }: Report): ReportLine {
  const fields = { verb: run.verb, exitCode };
  if (fix === undefined) {
    const problems = checks.reduce((sum, { findings }) => sum + findings.length, 0);
    const words =
      problems > 0 ? count(problems, 'problem') : exitCode === 0 ? 'healthy' : 'could not be determined';
    return { level: 'info', text: `${run.verb}: ${words}`, fields };
  }
  const { outcome, reason, rollback, notes } = fix;
  const isBroken = outcome === 'failed' || rollback === 'incomplete';
  const parts = [
    `${run.verb}: ${outcome.replaceAll('-', ' ')}`,
    ...(outcome === 'done' ? [plan.map(doneWords).join('; ')] : []),
    ...(reason === undefined ? [] : [reason]),
    ...(rollback === undefined ? [] : [`roll-back ${[rollback, ...notes].join('; ')}`]),
  ];
  return {
    level: isBroken ? 'error' : outcome === 'moved-on' || outcome === 'stopped' ? 'warn' : 'info',
    text: `${parts.join(': ')} (run ${run.id})`,
    fields: { ...fields, outcome, ...(rollback && { rollback }) },
  };
}
