import { describeWriteError } from '../host/describe-write-error.ts';
import { systemErrorCode } from '../host/system-error.ts';

/**
 * Returns when the text is out, as a pipe may take it in pieces, or when it cannot be. That nobody reads
 * it any more is no fault; anything else is said on standard error.
 */
export function print(text: string): Promise<void> {
  return new Promise((done) => {
    process.stdout.write(text, (error) => {
      if (error && !isReaderGone(error)) {
        process.stderr.write(`doctor: cannot write to standard output: ${describeWriteError(error)}\n`);
      }
      done();
    });
  });
}

/** E.g. `doctor check | head`, or a terminal whose connection was lost. */
function isReaderGone(error: Error): boolean {
  const code = systemErrorCode(error);
  return code === 'EPIPE' || code === 'EIO';
}
