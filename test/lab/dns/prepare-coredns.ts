/**
 * dns/: a cluster of two nodes with a real CoreDNS, and the internet as their provider lets them see it.
 * Every test breaks DNS as it breaks in the world, runs the command, and asks as pods do afterwards.
 */
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { startProcess } from '../node/start-process.ts';

/** `describe` for what needs a real CoreDNS. Where none can be built it is left out, and that is said. */
export function describeWithCoreDns(
  name: string,
  options: { readonly timeout: number },
  tests: (program: string) => void,
): void {
  if (program === undefined) {
    process.stderr.write(`lab: skipped "${name}": scripts/lab-coredns has no CoreDNS: ${obstacle}\n`);
    describe.skip(`${name} (no CoreDNS on this machine)`, options, () => tests(''));
  } else {
    describe(name, options, () => tests(program));
  }
}

const script = fileURLToPath(new URL('../../../scripts/lab-coredns', import.meta.url));
const { exitCode, stdout, stderr } = await startProcess([script], { input: '' }).ended;
const program = exitCode === 0 && stdout !== '' ? stdout.trimEnd() : undefined;
const obstacle = stderr.trim() || 'Go 1.24 or newer is missing';
if (program === undefined && process.env['LAB_REQUIRE_COREDNS']) throw new Error(obstacle);
