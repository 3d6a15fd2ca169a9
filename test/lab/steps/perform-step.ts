/**
 * Does one file-write step on the node it runs on, as the engine would: `node perform-step.ts STEP`, the
 * step in JSON. Prints what came of it, and of taking it back, as JSON.
 */
import type { Step } from '../../../src/engine/step.ts';
import { bindStep } from '../../../src/engine/steps/steps.ts';
import { liveNode } from '../../engine/steps/live-node.ts';

const step: Step = JSON.parse(process.argv[2] ?? '');
const context = liveNode();
const probed = await bindStep(step).probe(context);
if (probed.kind === 'needed') {
  const { before } = probed;
  const written = await before.apply(context);
  const verdict = await before.verify(context);
  const back = before.inverse && (await bindStep(before.inverse).probe(context));
  const takenBack = back?.kind === 'needed' ? await back.before.apply(context) : undefined;
  console.log(JSON.stringify({ probed: 'needed', written, verdict, back: back?.kind, takenBack }));
} else {
  console.log(JSON.stringify({ probed: probed.kind }));
}
