import { resolve } from 'node:path';
import { isSea } from 'node:sea';

/** The command line that starts this program again, from any folder; undefined when it came from no file. */
export function thisProgram(): readonly string[] | undefined {
  if (isSea()) return [process.execPath];
  const script = process.argv[1];
  return script === undefined ? undefined : [process.execPath, ...process.execArgv, resolve(script)];
}
