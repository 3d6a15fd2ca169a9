import { createTask } from 'node-cron';

/**
 * Whether the library that the daemon uses takes an expression and finds a time that it means:
 * `0 0 L-30 2 *`, thirty days before the end of February, is well written and never comes.
 */
export function isCronExpression(expression: string): boolean {
  try {
    const task = createTask(expression, () => undefined);
    try {
      return task.getNextRuns(1).length === 1;
    } finally {
      void task.destroy();
    }
  } catch {
    return false;
  }
}
