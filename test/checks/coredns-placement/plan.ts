import type { Step } from '../../../src/engine/step.ts';
import { type Changes, diagnose } from './two-nodes.ts';

export const selector = '/spec/template/spec/nodeSelector';
export const affinity = '/spec/template/spec/affinity';
export const os = { 'kubernetes.io/os': 'linux' };
export const hostname = 'kubernetes.io/hostname';
export const controlPlane = 'node-role.kubernetes.io/control-plane';

export async function stepsOf(changes: Changes): Promise<readonly Step[]> {
  const { plan } = await diagnose(changes);
  return plan(() => true).steps;
}

export async function fieldsOf(changes: Changes): Promise<unknown> {
  const [patch] = await stepsOf(changes);
  return patch?.kind === 'kube-patch' ? patch.fields : patch;
}

/** As `In` of a required node affinity. */
export function onHosts(...values: readonly string[]): object {
  const terms = [{ matchExpressions: [{ key: hostname, operator: 'In', values }] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
}
