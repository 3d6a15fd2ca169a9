import type { Host } from '../../host/host.ts';
import { oneLine } from '../one-line.ts';
import { parseObject } from '../steps/json-object.ts';
import { findPlace } from '../steps/json-pointer.ts';
import { describeWorstPod } from './pods.ts';
import { holds, notYet, type Seen } from './seen.ts';

/** Judged as `kubectl rollout status` judges it. `path` is that of a Deployment in the API. */
export async function lookAtRollout(path: string, host: Host): Promise<Seen> {
  const answer = await host.kubeGet(path);
  if (answer.kind === 'unavailable') return notYet(`${path}: ${answer.reason}`);
  const deployment = parseObject(answer.body);
  const read = (pointer: string) => valueAt(deployment, pointer);
  const generation = read('/metadata/generation');
  if (typeof generation !== 'number') return notYet(`${path}: the answer is no Deployment`);
  const count = (pointer: string) => {
    const value = read(pointer);
    return typeof value === 'number' ? value : 0;
  };

  const wanted = typeof read('/spec/replicas') === 'number' ? count('/spec/replicas') : 1;
  if (count('/status/observedGeneration') < generation) {
    return read('/spec/paused') === true
      ? notYet('its rollout is paused (spec.paused)')
      : notYet('the cluster has not taken notice of the change: is its controller manager at work?');
  }
  const [updated, all] = [count('/status/updatedReplicas'), count('/status/replicas')];
  const available = Math.min(count('/status/availableReplicas'), updated);
  if (updated >= wanted && all <= updated && available >= wanted) return holds;

  const paused = read('/spec/paused') === true ? ' (its rollout is paused: spec.paused)' : '';
  const old = all > updated ? `, ${all - updated} of the old ones still there` : '';
  const seen = `rolled out ${available} of ${wanted}${old}${paused}`;
  const explain = async () => {
    const pod = await describeWorstPod(path, read('/spec/selector/matchLabels'), host);
    const why = pod ?? failedCondition(read('/status/conditions'));
    return why === undefined ? seen : `${seen}: ${why}`;
  };
  return { kind: 'not-yet', seen, explain };
}

/** E.g. that no pod may be made at all. */
function failedCondition(conditions: unknown): string | undefined {
  if (!Array.isArray(conditions)) return undefined;
  for (const condition of conditions) {
    const [type, status, message] = ['type', 'status', 'message'].map((name) =>
      valueAt(condition, `/${name}`),
    );
    const isBad =
      type === 'ReplicaFailure' ? status === 'True' : type === 'Progressing' && status === 'False';
    if (isBad && typeof message === 'string') return oneLine(message, 200);
  }
  return undefined;
}

function valueAt(document: unknown, pointer: string): unknown {
  const place = findPlace(document, pointer);
  return place.kind === 'nowhere' ? undefined : place.value;
}
