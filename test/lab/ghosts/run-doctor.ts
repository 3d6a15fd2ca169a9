import { reportSchema } from '../../../src/report/report-schema.ts';
import type { ExecOptions } from '../node/create-place.ts';
import type { LabNode } from '../node/start-node.ts';

/** Runs the command on the node; its report is checked against the published schema. */
export async function runDoctor(node: LabNode, args: readonly string[], options: ExecOptions = {}) {
  const { exitCode, stdout, stderr } = await node.doctor([...args, '--format', 'json'], options);
  if (stdout === '') throw new Error(`doctor ${args.join(' ')}: no report, exit code ${exitCode}, ${stderr}`);
  const report = reportSchema().parse(JSON.parse(stdout));
  const findings = report.checks.flatMap((check) => check.findings);
  const reasons = report.checks.flatMap((check) => check.reasons);
  return { exitCode, report, findings, reasons, stderr };
}

/**
 * Writes the node's configuration; YAML takes JSON. Without `guards` of its own cluster DNS and peers are
 * not probed: a node of one has neither, and every fix would wait for them.
 */
export async function configure(node: LabNode, config: Readonly<Record<string, unknown>>): Promise<void> {
  const whole = { guards: { probes: { dns: false, peer: false } }, ...config };
  await node.writeFile('/etc/k3s-doctor/config.yaml', JSON.stringify(whole, undefined, 2), '600');
}
