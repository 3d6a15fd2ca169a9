import type { DoctorErrorCode } from '../doctor-error.ts';

/** What each exit code means is in docs/exit-codes.md; 0, 1 and 2 are node-problem-detector's. */
export const exitCodes = {
  undetermined: 2,
  'fix-failed': 3,
  locked: 4,
  paused: 4,
  usage: 64,
  config: 78,
} as const satisfies Record<DoctorErrorCode, number>;
