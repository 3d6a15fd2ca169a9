import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessInfo } from './host.ts';
import { systemErrorCode } from './system-error.ts';

/**
 * Every process below /proc, by its id. One that ends meanwhile is left out. Synchronous on purpose:
 * 500 processes take some 10 ms this way.
 */
export function listProcesses(procPath = '/proc'): readonly ProcessInfo[] {
  return readdirSync(procPath)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((pid) => {
      const name = readIfThere(`${procPath}/${pid}/comm`);
      const commandLine = readIfThere(`${procPath}/${pid}/cmdline`);
      if (name === undefined || commandLine === undefined) return [];
      return [{ pid, name: name.replace(/\n$/, ''), args: splitArguments(commandLine) }];
    });
}

/** A process that wrote a title over its arguments leaves the rest filled with NUL. */
function splitArguments(commandLine: string): readonly string[] {
  const trimmed = commandLine.replace(/\0+$/, '');
  return trimmed === '' ? [] : trimmed.split('\0');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
