/**
 * An expected failure of the tool itself: bad usage, bad configuration, no right, no room.
 * A problem *on the node* is data (a finding), never an error. Anything else thrown is a bug.
 */
export class DoctorError extends Error {
  override readonly name = 'DoctorError';
  readonly code: DoctorErrorCode;
  /** What the operator can do about it. */
  readonly hint: string | undefined;

  constructor(code: DoctorErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

export type DoctorErrorCode = 'usage' | 'config' | 'undetermined' | 'fix-failed' | 'locked' | 'paused';
