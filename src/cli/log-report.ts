import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { reportLines } from '../report/report-lines.ts';
import type { Report } from '../report/report-schema.ts';
import { print } from './print.ts';

/** For the daemon: each line of the report as a line of its log. */
export function logReport(log: Logger, report: Report): void {
  for (const { level, text, fields } of reportLines(report)) log[level](fields, text);
}

/** For a unit: each line of the report as it is, so that `journalctl -u` can be read. */
export async function printReportLines(report: Report): Promise<void> {
  const prefix = (await isJournal()) ? journalPrefix : noPrefix;
  await print(
    reportLines(report)
      .map(({ level, text }) => `${prefix[level]}${text}\n`)
      .join(''),
  );
}

/** journald takes these off and keeps them as the line's priority: sd-daemon(3). */
const journalPrefix = { error: '<3>', warn: '<4>', info: '<6>' } as const;
const noPrefix = { error: '', warn: '', info: '' } as const;

/** Whether standard output goes to journald itself: systemd says by which device and inode to know it. */
async function isJournal(): Promise<boolean> {
  const journal = process.env['JOURNAL_STREAM'];
  if (journal === undefined) return false;
  const output = await stat('/proc/self/fd/1', { bigint: true }).catch(() => undefined);
  return output !== undefined && journal === `${output.dev}:${output.ino}`;
}
