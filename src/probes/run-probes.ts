/**
 * probes/: what must not stop working when the firewall is changed. Run by `doctor probe`, a process
 * of its own; the engine compares what it says before and after. Changes nothing.
 */
import type { Config } from '../config/config.ts';
import type { ProbeResult } from '../engine/journal.ts';
import type { Host } from '../host/host.ts';
import { probeApi, probeDns, probePeer } from './cluster-probes.ts';
import { probeSsh } from './ssh-probe.ts';

/**
 * Looks at what must not stop working, all side by side; those switched off in `guards.probes` are
 * left out. Changes nothing but that connections are opened. What does not answer has not passed.
 */
export async function runProbes(host: Host, config: Config): Promise<ProbeResult[]> {
  return Promise.all(
    probes.filter(([name]) => config.guards.probes[name]).map(([, probe]) => probe(host, config)),
  );
}

const probes: readonly (readonly [
  ProbeResult['probe'],
  (host: Host, config: Config) => Promise<ProbeResult>,
])[] = [
  ['api', probeApi],
  ['ssh', probeSsh],
  ['dns', probeDns],
  ['peer', probePeer],
];
