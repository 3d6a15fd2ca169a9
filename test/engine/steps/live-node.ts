import type { StepContext } from '../../../src/engine/steps/step-kind.ts';
import { type LiveHostOptions, liveHost } from '../../../src/host/live.ts';
import { noCluster } from '../../host/no-cluster.ts';

/** This machine, for steps that keep to a folder of the test's own. */
export function liveNode(options: Partial<LiveHostOptions> = {}): StepContext {
  const host = liveHost({
    commands: {},
    paths: { k3sData: '/no/such/k3s' },
    kube: noCluster,
    ...options,
  });
  return { host, timeoutMs: 2000 };
}
