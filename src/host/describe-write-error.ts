import { systemErrorCode } from './system-error.ts';

/** Why something could not be written, in a few words for a person. */
export function describeWriteError(error: unknown): string {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
      return 'no space left on the device';
    case 'EROFS':
      return 'the file system is read-only';
    case 'EDQUOT':
      return 'the disk quota is used up';
    case 'EBUSY':
      return 'something is mounted there';
    case 'ENOTEMPTY':
      return 'it holds something';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
