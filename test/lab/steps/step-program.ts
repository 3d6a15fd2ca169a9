/**
 * Does one verb of one step on the node it runs on, as the engine would: `node step-program.ts REQUEST`,
 * in JSON. Prints what came of it, as JSON.
 *
 * `probe`, `do`: look, or look, write and look again; what was there before is kept in `backup`.
 * `takeBack`: what another process did, from its backup.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Step } from '../../../src/engine/step.ts';
import { type BoundStep, bindStep } from '../../../src/engine/steps/steps.ts';
import { liveNode } from '../../engine/steps/live-node.ts';

export interface StepRequest {
  readonly verb: 'probe' | 'do' | 'takeBack';
  readonly step: Step;
  readonly backup: string;
  /** Programs in place of the real ones. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

const { verb, step, backup, commands }: StepRequest = JSON.parse(process.argv[2] ?? '');
const context = { ...liveNode({ commands }), timeoutMs: 5000 };
console.log(JSON.stringify(await perform()));

async function perform(): Promise<object> {
  const bound = bindStep(step);
  if (verb === 'probe') {
    const { kind, ...probed } = await bound.probe(context);
    return { probed: kind, ...('reason' in probed && { reason: probed.reason }) };
  }
  if (verb === 'do') return doStep(bound);
  const change = bound.recall(readFileSync(backup, 'latin1'));
  if (!change?.inverse) throw new Error('it cannot be taken back');
  return { ...(await doStep(bindStep(change.inverse))), missing: await change.missing(context) };
}

async function doStep(bound: BoundStep): Promise<object> {
  const probed = await bound.probe(context);
  if (probed.kind !== 'needed') {
    return { probed: probed.kind, ...('reason' in probed && { reason: probed.reason }) };
  }
  const change = probed.before;
  if (verb === 'do') writeFileSync(backup, change.backup.text, 'latin1');
  const written = await change.apply(context);
  return { probed: 'needed', written, verdict: await change.verify(context) };
}
