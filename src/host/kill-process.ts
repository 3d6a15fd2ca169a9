import { systemErrorCode } from './system-error.ts';

/**
 * SIGKILL; false when there is no such process any more. A number that means a group, everybody,
 * init or this very process is none: it may come from a file that is damaged.
 */
export function killProcess(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ESRCH') return false;
    // It is there, and not ours to end.
    if (code === 'EPERM') return true;
    throw error;
  }
}
