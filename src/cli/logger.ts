import { destination, type Logger, pino } from 'pino';

/** JSON lines on standard error, the run's id in each; without one it is for whoever adds one (`child`). */
export function createLogger(level: string, runId?: string): Logger {
  const errorOutput = destination({ fd: 2, sync: true });
  // A log that finds no room must not end a fix in the middle.
  errorOutput.on('error', () => undefined);
  return pino({ level, base: runId === undefined ? null : { run: runId } }, errorOutput);
}
