/**
 * Run as a program, with `LANE=EXIT_CODE=FILE` for each lane, FILE being what vitest's JSON reporter
 * wrote. Prints one line with the sum of all, and exits with 1 if anything failed.
 *
 * A lane that failed without a failing test (types, lint, dead code, a file that cannot be loaded, no
 * test at all) counts as one failure and is named above that line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const results = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });

const lanes = process.argv.slice(2).map(readLane);
for (const { name, exitCode } of lanes.filter(failedOutsideTests)) {
  console.log(`${name} failed outside of the tests, exit code ${exitCode}: see its output above`);
}
const passed = sum(lanes.map((lane) => lane.passed));
const failed = sum(lanes.map((lane) => lane.failed)) + lanes.filter(failedOutsideTests).length;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

interface Lane {
  readonly name: string;
  readonly exitCode: number;
  readonly passed: number;
  readonly failed: number;
}

function readLane(argument: string): Lane {
  const [name = '', exitCode = '', file = ''] = argument.split('=');
  const { numPassedTests, numFailedTests } = readResults(file);
  return { name, exitCode: Number(exitCode), passed: numPassedTests, failed: numFailedTests };
}

/** Without a file the lane ended before its first test. */
function readResults(file: string): z.infer<typeof results> {
  if (!existsSync(file)) return { numPassedTests: 0, numFailedTests: 0 };
  return results.parse(JSON.parse(readFileSync(file, 'utf8')));
}

function failedOutsideTests({ exitCode, passed, failed }: Lane): boolean {
  return (exitCode !== 0 || passed === 0) && failed === 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
