import type { ChalkInstance } from 'chalk';
import { count } from '../engine/count.ts';
import type { HistoryReport, HistoryRun, RunDetails } from './history-schema.ts';
import { renderPlan, type TextOptions } from './text.ts';
import { wrap } from './wrap.ts';

type HistoryTextOptions = Pick<TextOptions, 'colour' | 'width'>;

/** A table of runs, and below each what it was for. */
export function renderHistory(history: HistoryReport, options: HistoryTextOptions): string {
  const { colour, width } = options;
  const { runs, olderRuns, problems } = history;
  const rows = [
    ['RUN', 'WHEN', 'VERB', 'BY', 'CHANGES', 'OUTCOME'],
    ...runs.map((run) => [
      run.run || '?',
      localTime(run.at),
      run.verb ?? '?',
      run.by ?? '?',
      `${run.changes}`,
      run.outcome,
    ]),
  ];
  const widths = columnWidths(rows);
  const [head = '', ...lines] = rows.map((row) =>
    row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '),
  );
  const blocks = runs.map((run, i) => {
    const [why] = whyLines(run);
    const line = (lines[i] ?? '').trimEnd();
    return [
      line.slice(0, line.length - run.outcome.length) + tint(run.outcome, colour),
      ...(why === undefined ? [] : [colour.dim(`  ${wrap(why, width - 2, '    ')}`)]),
    ].join('\n');
  });
  const more = olderRuns > 0 ? [`… and ${count(olderRuns, 'older run')} (--limit shows more)`] : [];
  const table =
    runs.length > 0 ? [colour.bold(head.trimEnd()), ...blocks, ...more] : ['Nothing was done yet.'];
  const isUndoable = runs.some(
    ({ verb, outcome, undoneBy }) => verb === 'fix' && outcome === 'done' && !undoneBy,
  );
  const hint = isUndoable
    ? [colour.dim('Everything about one: doctor history RUN  Take it back: doctor undo RUN')]
    : [];
  const trouble = problems.map((problem) => colour.yellow(wrap(problem, width, '  ')));
  return `${[...table, ...hint, ...trouble].join('\n')}\n`;
}

/** Everything that is known of one run, its commands as they were run. */
export function renderRunDetails(details: RunDetails, options: HistoryTextOptions): string {
  const { colour, width } = options;
  const { run, plan, journal, backups } = details;
  const facts = [
    ['verb', run.undoes === undefined ? (run.verb ?? '?') : `${run.verb}, of run ${run.undoes}`],
    ['by', run.by ?? '?'],
    ['began', localTime(run.at)],
    ['ended', run.finishedAt === null ? whyOpen(run) : localTime(run.finishedAt)],
    [
      'outcome',
      `${tint(run.outcome, colour)}${run.undoneBy === undefined ? '' : `, taken back by run ${run.undoneBy}`}`,
    ],
    ...(run.reason === undefined ? [] : [['because', run.reason]]),
    ['changes', `${run.changes}`],
  ];
  const blocks = [
    [
      colour.bold(`Run ${run.run || '?'}`),
      ...facts.map(([name = '', value]) => `  ${name.padEnd(8)} ${value}`),
    ],
    listBlock('Why', [...run.why, ...omitted(run, 'why')], options),
    listBlock('Notes', [...run.notes, ...omitted(run, 'notes')], options),
    plan.length > 0
      ? [renderPlan(plan, options)]
      : listBlock('Steps', [...run.steps, ...omitted(run, 'steps')], options),
    listBlock('The node as it was before is in', backups, options),
    journal === 'gone' && run.steps.length > 0
      ? [
          colour.dim(
            wrap(
              'Its journal is not kept any more, so its commands are not known and it cannot be undone.',
              width,
              '',
            ),
          ),
        ]
      : [],
  ];
  const texts = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

function whyLines(run: HistoryRun): string[] {
  if (run.finishedAt === null) return [whyOpen(run)];
  if (run.undoneBy !== undefined) return [`taken back by run ${run.undoneBy}`];
  if (run.undoes !== undefined) return [`takes back run ${run.undoes}`];
  const [first] = run.why;
  const others = run.why.length - 1 + (run.omitted?.['why'] ?? 0);
  const more = others > 0 ? ` (and ${others} more)` : '';
  return first === undefined ? [] : [`${first}${more}`];
}

function whyOpen({ outcome }: HistoryRun): string {
  return outcome === 'at-work' ? 'it is at work now' : 'not finished: it was killed; the next fix settles it';
}

function omitted(run: HistoryRun, list: string): string[] {
  const left = run.omitted?.[list] ?? 0;
  return left > 0 ? [`… and ${left} more`] : [];
}

function listBlock(title: string, lines: readonly string[], { colour, width }: HistoryTextOptions): string[] {
  if (lines.length === 0) return [];
  return [colour.bold(title), ...lines.map((line) => `  ${wrap(line, width - 2, '    ')}`)];
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const [head = []] = rows;
  return head.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
}

function tint(outcome: HistoryRun['outcome'], colour: ChalkInstance): string {
  switch (outcome) {
    case 'done':
    case 'resumed':
      return colour.green(outcome);
    case 'incomplete':
    case 'killed':
      return colour.red(outcome);
    default:
      return colour.yellow(outcome);
  }
}

/** `2026-11-21 14:04:05` where this process runs. */
function localTime(time: string | null): string {
  if (time === null) return '?';
  const date = new Date(time);
  const two = (value: number) => `${value}`.padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
