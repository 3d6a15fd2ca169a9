import { describe, expect, test } from 'vitest';
import { lookAtRollout } from '../../../src/engine/conditions/rolled-out.ts';
import { createKubeClient } from '../../../src/kube/client.ts';
import { startCluster } from '../../kube/cluster.ts';
import { liveNode } from '../steps/live-node.ts';

const path = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
const selector = { matchLabels: { 'k8s-app': 'kube-dns', tier: 'a/b' } };
const complete = {
  metadata: { name: 'coredns', generation: 3 },
  spec: { replicas: 2, selector },
  status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
};

interface Changes {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
  /** In place of all of it. */
  readonly body?: unknown;
}

async function look({ metadata, spec, status, body }: Changes, pods?: readonly object[]) {
  const deployment = {
    metadata: { ...complete.metadata, ...metadata },
    spec: { ...complete.spec, ...spec },
    status: { ...complete.status, ...status },
  };
  const cluster = await startCluster({
    read: (asked) => {
      if (asked === path) return body ?? deployment;
      return pods && asked.endsWith('/kube-system/pods') ? { items: pods } : undefined;
    },
  });
  const kubeconfig = await cluster.kubeconfig('admin');
  const kube = createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, timeoutMs: 1000 });
  const { host } = liveNode({ kube });
  const seen = await lookAtRollout(path, host);
  const before = cluster.server.requests.length;
  const explained = seen.kind === 'not-yet' ? await seen.explain?.() : undefined;
  return { seen, explained, before, requests: cluster.server.requests.map((each) => each.path) };
}

const ones = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
const none = { replicas: 0, updatedReplicas: undefined, availableReplicas: undefined };

describe('it has rolled out', () => {
  test.each<[string, Changes]>([
    ['when all its pods are of the new kind and available', {}],
    ['when it was changed again, and that is done, too', { status: { observedGeneration: 4 } }],
    ['with one pod, where it does not say how many', { spec: { replicas: undefined }, status: ones }],
    ['with none, where none is wanted', { spec: { replicas: 0 }, status: none }],
  ])('%s', async (_, changes) => {
    expect((await look(changes)).seen).toEqual({ kind: 'holds' });
  });
});

describe('it has not rolled out', () => {
  test.each<[string, Changes, string]>([
    ['while nobody has taken notice', { metadata: { generation: 4 } }, 'the cluster has not taken notice'],
    [
      'while it is paused',
      { spec: { paused: true }, status: { updatedReplicas: 1 } },
      'rolled out 1 of 2, 1 of the old ones still there (its rollout is paused: spec.paused)',
    ],
    [
      'while it is paused, and nobody may take notice',
      { metadata: { generation: 4 }, spec: { paused: true } },
      'its rollout is paused',
    ],
    [
      'while an old pod is there',
      { status: { replicas: 3 } },
      'rolled out 2 of 2, 1 of the old ones still there',
    ],
    ['while one is not available', { status: { availableReplicas: 1 } }, 'rolled out 1 of 2'],
    [
      'while those that are available are the old ones',
      { status: { updatedReplicas: undefined } },
      'rolled out 0 of 2, 2 of the old ones still there',
    ],
    ['when it says nothing of itself', { body: { metadata: { generation: 1 } } }, 'has not taken notice'],
    ['when it is something else', { body: { kind: 'Odd' } }, `${path}: the answer is no Deployment`],
  ])('%s', async (_, changes, says) => {
    expect((await look(changes)).seen).toMatchObject({
      kind: 'not-yet',
      seen: expect.stringContaining(says),
    });
  });

  test('while the cluster cannot be asked', async () => {
    const { host } = liveNode();
    expect(await lookAtRollout(path, host)).toEqual({ kind: 'not-yet', seen: `${path}: none here` });
  });
});

const pending = {
  metadata: { name: 'coredns-7' },
  status: {
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'False', message: '0/2 nodes are available:\n2 did not match.' },
    ],
  },
};
const ready = {
  metadata: { name: 'coredns-1' },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
};
const running = (state: object) => ({
  metadata: { name: 'coredns-8' },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [{ state: { running: {} } }, { state }],
  },
});

describe('why it has not, is asked for only when nobody waits any longer', () => {
  test.each<[string, object, string]>([
    [
      'a pod that fits nowhere',
      pending,
      'pod coredns-7 is Pending: 0/2 nodes are available: 2 did not match.',
    ],
    [
      'a pod that crashes',
      running({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } }),
      'pod coredns-8 is Running, not ready: CrashLoopBackOff: back-off 5m0s',
    ],
    [
      'a pod that has ended',
      running({ terminated: { reason: 'OOMKilled' } }),
      'pod coredns-8 is Running, not ready: OOMKilled',
    ],
    ['a pod that says nothing', running({}), 'pod coredns-8 is Running, not ready'],
    [
      'an old pod that does not go',
      { ...ready, metadata: { name: 'coredns-1', deletionTimestamp: '2026-11-21T12:00:00Z' } },
      'pod coredns-1 is being deleted',
    ],
  ])('%s', async (_, pod, says) => {
    const { explained, before, requests } = await look({ status: { availableReplicas: 1 } }, [ready, pod]);
    expect(explained).toBe(`rolled out 1 of 2: ${says}`);
    expect(before).toBe(1);
    expect(decodeURIComponent(requests[1] ?? '')).toContain('labelSelector=k8s-app=kube-dns,tier=a/b');
  });

  test('long words are cut', async () => {
    const long = running({ waiting: { reason: 'Error', message: 'x'.repeat(5000) } });
    expect((await look({ status: { availableReplicas: 1 } }, [long])).explained?.length).toBeLessThan(300);
  });

  test('where no pod can be made at all, the Deployment says why', async () => {
    const conditions = [
      { type: 'Available', status: 'False', message: 'no' },
      { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' },
    ];
    const status = { replicas: 0, updatedReplicas: 0, availableReplicas: 0, conditions };
    expect((await look({ status }, [])).explained).toBe('rolled out 0 of 2: exceeded quota');
  });

  test('pods that may not be listed are left out', async () => {
    expect((await look({ status: { availableReplicas: 1 } })).explained).toBe('rolled out 1 of 2');
    const withoutSelector = { spec: { selector: {} }, status: { availableReplicas: 1 } };
    expect((await look(withoutSelector, [pending])).explained).toBe('rolled out 1 of 2');
  });
});
