/** What `doctor history --format json` prints. Built in functions, because zod schemas cost at every start. */
import { z } from 'zod';
import { stepSchema } from './report-schema.ts';

/** Of `doctor history`: all runs, newest first. */
export function historySchema() {
  return z.object({
    schemaVersion: z.literal(1),
    runs: list(runSchema()).describe('newest first; one that is not finished before all others'),
    olderRuns: z.int().describe('how many more there are than --limit shows'),
    problems: list(z.string()).describe('what of the history could not be read'),
  });
}

/** Of `doctor history RUN`: one run with all that is kept of it. */
export function runDetailsSchema() {
  return z.object({
    schemaVersion: z.literal(1),
    run: runSchema(),
    journal: z.enum(['kept', 'gone']).describe('steps and findings are all here only while it is kept'),
    plan: list(stepSchema()),
    backups: list(z.string()).describe('files that hold what the node was like before'),
  });
}

function runSchema() {
  return z.object({
    run: z.string(),
    verb: z.string().nullable().describe('null: unknown'),
    by: z.string().nullable(),
    at: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
    why: list(z.string()),
    findings: list(z.string()).describe('check, code and subject of each'),
    steps: list(z.string()),
    changes: z.int(),
    outcome: z.enum([
      'done',
      'reverted',
      'incomplete',
      'moved-on',
      'stopped',
      'paused',
      'resumed',
      'at-work',
      'killed',
    ]),
    reason: z.string().optional(),
    notes: list(z.string()),
    undoes: z.string().optional().describe('the run that it took back'),
    undoneBy: z.string().optional().describe('the run that has taken it back'),
    omitted: z.record(z.string(), z.int()).optional().describe('how many of each list were left out'),
  });
}

export type HistoryReport = z.infer<ReturnType<typeof historySchema>>;
export type RunDetails = z.infer<ReturnType<typeof runDetailsSchema>>;
export type HistoryRun = HistoryReport['runs'][number];

function list<T extends z.ZodType>(item: T) {
  return z.array(item).readonly();
}
