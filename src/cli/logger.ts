import { destination, type Logger, pino } from 'pino';

/** JSON lines on standard error, the run's id in each; without one it is for whoever adds one (`child`). */
export function createLogger(level: string, runId?: string): Logger {
  return pino(
    { level, base: runId === undefined ? null : { run: runId } },
    destination({ fd: 2, sync: true }),
  );
}
