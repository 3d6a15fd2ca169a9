import type { ChalkInstance } from 'chalk';
import { count } from '../engine/count.ts';
import { doneWords } from './done-words.ts';
import { printable } from './printable.ts';
import type { Report } from './report-schema.ts';
import { settledWords } from './settled-words.ts';
import { wrap } from './wrap.ts';

export interface TextOptions {
  readonly colour: ChalkInstance;
  readonly width: number;
  /** Show evidence, notes and every finding. */
  readonly verbose: boolean;
}

type CheckReport = Report['checks'][number];
type FindingReport = CheckReport['findings'][number];

/** For a person at a terminal: what is wrong, what it hurts, what to type. */
export function renderText(report: Report, options: TextOptions): string {
  const isOff = report.checks.length === 0 && ['check', 'fix'].includes(report.run.verb) && !report.settled;
  const blocks = [
    ...(isOff ? ['Nothing was looked at: what was asked for is off in the configuration.'] : []),
    renderSettled(report, options),
    ...report.notices.map((notice) => options.colour.yellow(wrap(notice, options.width, '  '))),
    ...report.checks.map((check) => renderCheck(check, options)),
    renderFix(report, options),
    ...(report.checks.length > 0 ? [verdict(report, options)] : []),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

export interface PlanOptions extends Pick<TextOptions, 'colour' | 'width'> {
  /** Of each batch; all lines without. */
  readonly maxLines?: number;
}

/** The plan exactly: each command, and what it reads from standard input. */
export function renderPlan(plan: Report['plan'], { colour, width, maxLines }: PlanOptions): string {
  return plan
    .map(({ title, command, input, reversible, changes }, i) =>
      [
        colour.bold(wrap(`Step ${i + 1}: ${title}`, width, '  ')),
        ...(reversible ? [] : [`  (cannot be taken back${changes === 0 ? ', and need not be' : ''})`]),
        `  ${printable(command)}${input === undefined ? '' : " <<'EOF'"}`,
        ...(input === undefined ? [] : [`${printable(shorten(input, maxLines))}EOF`]),
      ].join('\n'),
    )
    .join('\n\n');
}

function shorten(text: string, maxLines: number | undefined): string {
  const lines = text.split('\n');
  if (maxLines === undefined || lines.length - 1 <= maxLines) return text;
  const left = lines.length - 1 - maxLines;
  return `${lines.slice(0, maxLines).join('\n')}\n… ${left} more lines (doctor fix --dry-run shows them)\n`;
}

function renderCheck(check: CheckReport, options: TextOptions): string {
  const { colour, width, verbose } = options;
  const mark = {
    ok: colour.green('✓'),
    findings: colour.red('✗'),
    skipped: colour.dim('-'),
    unknown: colour.yellow('?'),
  };
  const shown = verbose ? check.findings : check.findings.slice(0, 10);
  const hidden = check.findings.length - shown.length;
  return [
    `${mark[check.outcome]} ${colour.bold(check.id)}  ${heading(check)}`,
    ...(check.outcome === 'findings' ? [colour.dim(`  ${wrap(check.why, width - 2, '  ')}`)] : []),
    ...check.reasons.map((reason) => `  ${colour.yellow(wrap(reason, width - 2, '  '))}`),
    ...(check.outcome === 'unknown' ? [`  What to do: doctor explain ${check.id}`] : []),
    ...shown.map((finding) => renderFinding(finding, options)),
    ...(hidden > 0 ? [`  … and ${hidden} more (-v shows all, --format json has them)`] : []),
    ...obstacles(check, options),
    ...check.limits.map((limit) => colour.dim(`  ${wrap(limit, width - 2, '  ')}`)),
    ...(verbose ? check.notes.map((note) => colour.dim(`  ${wrap(note, width - 2, '    ')}`)) : []),
  ].join('\n');
}

/** The title says that all is well, which an unknown or skipped check does not. */
function heading(check: CheckReport): string {
  switch (check.outcome) {
    case 'unknown':
      return 'could not be determined';
    case 'skipped':
      return 'not judged here';
    default:
      return check.title;
  }
}

function renderFinding(finding: FindingReport, { colour, width, verbose }: TextOptions): string {
  const tint = finding.severity === 'error' ? colour.red : colour.yellow;
  const effect = finding.evidence.find(({ source }) => source === 'effect')?.observed;
  return [
    `  ${tint(finding.severity === 'error' ? '●' : '○')} ${breakMessage(finding.message, width - 4)}`,
    ...(effect ? [colour.dim(`    ${wrap(effect, width - 4, '    ')}`)] : []),
    ...(verbose
      ? finding.evidence
          .filter(({ source }) => source !== 'effect')
          .map(({ source, observed }) =>
            colour.dim(`    ${wrap(`${source}: ${observed}`, width - 4, '      ')}`),
          )
      : []),
  ].join('\n');
}

/** Long messages break where their parts meet, so that an address is found whole. */
function breakMessage(message: string, width: number): string {
  if (message.length <= width) return printable(message);
  return message
    .split(/ (?=· )/)
    .map((part) => wrap(part, width, '    '))
    .join('\n    ');
}

/** Why some findings are not repaired, each reason once. */
function obstacles(check: CheckReport, { colour, width }: TextOptions): string[] {
  const reasons = check.findings.flatMap(({ remedy }) =>
    remedy.kind === 'planned'
      ? []
      : [`${remedy.kind === 'held' ? 'left alone for now' : 'not repairable'}: ${remedy.reason}`],
  );
  return [...new Set(reasons)].map((reason) => `  ${colour.yellow(wrap(reason, width - 2, '    '))}`);
}

function renderSettled({ settled }: Report, { colour, width }: TextOptions): string {
  if (!settled) return '';
  const tint = settled.outcome === 'incomplete' ? colour.red : colour.yellow;
  const notes = settled.notes.map((note) => `  ${wrap(note, width - 2, '    ')}`);
  const words = settledWords(settled);
  const sentence = `${words.charAt(0).toUpperCase()}${words.slice(1)}:`;
  return [tint(wrap(sentence, width, '  ')), ...notes].join('\n');
}

function renderFix(report: Report, { colour, width }: TextOptions): string {
  const { fix } = report;
  if (!fix || fix.outcome === 'nothing-to-do') return '';
  const notes = fix.notes.map((note) => `  ${wrap(note, width - 2, '    ')}`);
  const steps = report.plan.map(
    (step) => `  ${colour.green('✓')} ${wrap(doneWords(step), width - 4, '    ')}`,
  );
  switch (fix.outcome) {
    case 'done':
      return [colour.bold(doneHeading(report)), ...steps, ...notes, ...howToUndo(report)].join('\n');
    case 'not-applied':
      return wrap(`Nothing was changed: ${fix.reason ?? ''}`, width, '  ').replace(/^[^:]*/, (words) =>
        colour.yellow(words),
      );
    default: {
      const verb = { 'moved-on': 'was given up', stopped: 'was stopped', failed: 'failed' }[fix.outcome];
      const rollback =
        fix.rollback === 'complete' ? 'rolled back: the node is as before' : 'ROLL-BACK INCOMPLETE';
      return [
        colour.red(wrap(`The ${report.run.verb} ${verb}: ${fix.reason ?? ''}`, width, '  ')),
        `  ${rollback}`,
        ...notes,
      ].join('\n');
    }
  }
}

function doneHeading({ run, exitCode }: Report): string {
  if (run.verb === 'fix') return 'Fixed and verified';
  if (run.verb !== 'undo') return 'Done and verified';
  return exitCode === 0
    ? 'Taken back and verified'
    : 'Taken back and verified, but for what is left as it is';
}

function howToUndo({ run, plan }: Report): string[] {
  const isUndoable = run.verb !== 'undo' && plan.some(({ reversible, changes }) => reversible && changes > 0);
  return isUndoable ? [`  To take it back: doctor undo ${run.id}`] : [];
}

function verdict(report: Report, { colour }: TextOptions): string {
  const fixed = report.fix?.outcome === 'done';
  const findings = report.checks
    .flatMap((check) => check.findings)
    .filter(({ remedy }) => !fixed || remedy.kind !== 'planned');
  const undetermined = report.checks.some(
    ({ outcome, reasons }) => outcome !== 'skipped' && reasons.length > 0,
  );
  if (findings.length > 0) {
    const repairable =
      report.run.verb === 'check' && findings.some(({ remedy }) => remedy.kind === 'planned');
    const hint = repairable ? '  Show the plan: doctor fix --dry-run  Repair: doctor fix' : '';
    return `${colour.red(`${count(findings.length, 'problem')}.`)}${hint}`;
  }
  if (undetermined) {
    return colour.yellow(
      fixed ? 'The rest could not be determined.' : 'Could not be determined; nothing was changed.',
    );
  }
  return colour.green(fixed ? 'Healthy again.' : 'Healthy.');
}
