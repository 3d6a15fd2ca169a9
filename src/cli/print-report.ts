import { writeFile } from 'node:fs/promises';
import { Chalk } from 'chalk';
import type { Logger } from 'pino';
import { DoctorError } from '../doctor-error.ts';
import { describeWriteError } from '../host/describe-write-error.ts';
import type { Report } from '../report/report-schema.ts';
import { renderPlan, renderText, type TextOptions } from '../report/text.ts';
import { logReport, printReportLines } from './log-report.ts';
import type { RunOptions } from './options.ts';
import { print } from './print.ts';

type PrintOptions = RunOptions & { readonly dryRun?: true };

/**
 * Prints the report where it was asked for; standard output carries nothing else. A log takes it line by
 * line, in its place. By now the node may have been changed, so a file that cannot be written is no
 * error any more: the report goes to standard output instead.
 */
export async function printReport(report: Report, options: PrintOptions, log?: Logger): Promise<void> {
  if (log) return logReport(log, report);
  if (options.format === 'log' && options.output === undefined) return printReportLines(report);
  const text = options.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : asText(report, options);
  if (options.output === undefined) return print(text);
  const failure = await writeOutput(options.output, text, 'w');
  if (failure === undefined) return;
  process.stderr.write(`doctor: ${failure}; the report goes to standard output\n`);
  const { output: _, ...toStandardOutput } = options;
  await printReport(report, toStandardOutput);
}

function asText(report: Report, options: PrintOptions): string {
  const style = textOptions(options, options.output === undefined ? process.stdout : undefined);
  if (!options.dryRun || report.plan.length === 0) return renderText(report, style);
  const { fix: _, ...rest } = report;
  const parts = [renderText(rest, style).trim(), renderPlan(report.plan, style)];
  return `${[...parts, 'Nothing was changed: this was a dry run.'].filter((part) => part !== '').join('\n\n')}\n`;
}

/** To be called before a node is changed: it is too late to learn afterwards that the report is lost. */
export async function assertReportable({ output }: RunOptions): Promise<void> {
  const failure = output === undefined ? undefined : await writeOutput(output, '', 'a');
  if (failure !== undefined) throw new DoctorError('usage', failure);
}

/** Returns in one line why it could not be written. */
async function writeOutput(path: string, text: string, flag: 'w' | 'a'): Promise<string | undefined> {
  return writeFile(path, text, { flag }).then(
    () => undefined,
    (error: unknown) => `cannot write ${path}: ${describeWriteError(error)}`,
  );
}

export function textOptions(
  options: Pick<RunOptions, 'color' | 'verbose'>,
  stream: NodeJS.WriteStream | undefined,
): TextOptions {
  const plain = !options.color || process.env['NO_COLOR'] !== undefined || stream?.isTTY !== true;
  // A serial console does not know its width and says 0.
  const width = (stream?.isTTY && stream.columns) || 80;
  return {
    colour: plain ? new Chalk({ level: 0 }) : new Chalk(),
    width: Math.min(Math.max(width, 40), 120),
    verbose: options.verbose === true,
  };
}
