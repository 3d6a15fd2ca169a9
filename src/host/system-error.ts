import { getSystemErrorMessage } from 'node:util';

/** The code (`ENOENT`, `EACCES`, ...) of an error that came from the operating system, else undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** `no space left on device (ENOSPC)`. Anything that did not come from the operating system is a bug and rethrown. */
export function describeSystemError(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  const isNumbered = 'errno' in error && typeof error.errno === 'number';
  return isNumbered ? `${getSystemErrorMessage(Number(error.errno))} (${code})` : code;
}
