import { DoctorError } from '../doctor-error.ts';
import { readHistory } from '../engine/history/history.ts';
import { findOpenRun, readRunRecord } from '../engine/history/run-record.ts';
import { buildHistory, buildRunDetails } from '../report/build-history.ts';
import { renderHistory, renderRunDetails } from '../report/history-text.ts';
import { openHost } from './open-host.ts';
import { print } from './print.ts';
import { textOptions } from './print-report.ts';
import { requireRoot } from './require-root.ts';

export interface HistoryCommandOptions {
  readonly format: 'text' | 'json';
  /** Default 20. */
  readonly limit?: number;
  readonly config?: string;
  readonly color: boolean;
}

/** Prints what was done on this node, or all that is known of one run. Returns the exit code. */
export async function historyCommand(
  run: string | undefined,
  options: HistoryCommandOptions,
): Promise<number> {
  requireRoot('to read the history, which only root may');
  const { host, config } = await openHost(options);
  const history = await readHistory(host, config);
  const open = await findOpenRun(host, config);
  const limit = run === undefined ? (options.limit ?? 20) : Number.POSITIVE_INFINITY;
  const report = buildHistory(history, open, limit);
  const style = textOptions(options, process.stdout);
  if (run === undefined) {
    await print(options.format === 'json' ? json(report) : renderHistory(report, style));
    return 0;
  }
  const entry = report.runs.find((known) => known.run === run);
  if (!entry) {
    throw new DoctorError('usage', `there is no run "${run}" in the history`, {
      hint: '"doctor history" shows what there is',
    });
  }
  const details = buildRunDetails(entry, await readRunRecord(host, config, run));
  await print(options.format === 'json' ? json(details) : renderRunDetails(details, style));
  return 0;
}

function json(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
