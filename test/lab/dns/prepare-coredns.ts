/**
 * dns/: a cluster of two nodes with a real CoreDNS, and the internet as their provider lets them see it.
 * Every test breaks DNS as it breaks in the world, runs the command, and asks as pods do afterwards.
 */
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { startProcess } from '../node/start-process.ts';

interface Options {
  /** Of each test. */
  readonly timeout: number;
  /** Where there is no CoreDNS, dnsmasq with the same zones will do. Default: it will not. */
  readonly orDnsmasq?: boolean;
}

/**
 * `describe` for what needs a CoreDNS, whose program it is given. Where none can be built dnsmasq stands in for it,
 * and the title says so; or it is left out, and that is said.
 */
export function describeWithCoreDns(
  name: string,
  { timeout, orDnsmasq = false }: Options,
  tests: (program: string) => void,
): void {
  if (program !== undefined) {
    describe(name, { timeout }, () => tests(program));
  } else if (orDnsmasq) {
    describe(`${name} (dnsmasq in place of CoreDNS)`, { timeout }, () => tests(standIn));
  } else {
    process.stderr.write(`lab: skipped "${name}": there is no CoreDNS here: ${obstacle}\n`);
    describe.skip(`${name} (no CoreDNS on this machine)`, { timeout }, () => tests(''));
  }
}

const standIn = fileURLToPath(new URL('./stand-in/dnsmasq-coredns.ts', import.meta.url));
const script = fileURLToPath(new URL('../../../scripts/lab-coredns', import.meta.url));
const { stdout, stderr } = await startProcess([script], { input: '' }).ended;
const program = stdout === '' ? undefined : stdout.trimEnd();
const obstacle = stderr.trim();
if (program === undefined && process.env['LAB_REQUIRE_COREDNS']) throw new Error(obstacle);
