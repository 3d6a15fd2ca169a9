import { destination, type Logger, pino } from 'pino';

/** JSON lines on standard error, the run's id in each. */
export function createLogger(level: string, runId: string): Logger {
  return pino({ level, base: { run: runId } }, destination({ fd: 2, sync: true }));
}
