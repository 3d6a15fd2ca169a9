import { expect, test } from 'vitest';
import { codesOf, crashing, diagnose, pod } from './cluster.ts';

test('nothing is wrong where everything is in order', async () => {
  expect(await diagnose()).toMatchObject({ outcome: 'ok', findings: [], reasons: [], limits: [] });
});

test('no pod is ready: said why, and that pods resolve nothing', async () => {
  const { findings } = await diagnose({
    pods: [
      {
        ready: false,
        phase: 'Pending',
        node: undefined,
        unschedulable: '0/2 nodes are available: 2 cordoned',
      },
    ],
  });
  expect(findings).toMatchObject([
    {
      code: 'coredns-not-ready',
      severity: 'error',
      subject: 'Deployment coredns',
      message: `no pod of CoreDNS is ready: pods resolve no name · pod ${pod.name}: cannot be placed (0/2 nodes are available: 2 cordoned)`,
      effect: 'loses',
      remedy: { kind: 'none' },
    },
  ]);
});

test('some are ready', async () => {
  const pods = [{}, { name: 'coredns-2', address: '10.42.1.2', ready: false, waiting: 'ContainerCreating' }];
  const { findings } = await diagnose({ pods });
  expect(findings).toMatchObject([
    {
      severity: 'warning',
      message: '1 of 2 pods of CoreDNS is ready · pod coredns-2: ContainerCreating on main',
      effect: 'idle',
    },
  ]);
});

test('scaled to nothing, and no pods though some are wanted', async () => {
  expect(await codesOf({ pods: [], replicas: 0 })).toEqual(['error coredns-not-ready']);
  expect(await codesOf({ pods: [], replicas: 1 })).toEqual(['error coredns-not-ready']);
});

test.each([
  ['ends', { isEnding: true, ready: false }],
  ['was evicted', { phase: 'Failed', ready: false }],
])('a pod that %s is none', async (_, old) => {
  expect(await codesOf({ pods: [{}, { name: 'coredns-old', ...old }], replicas: 1 })).toEqual([]);
});

test('without a right to see pods, the Deployment’s own count has to do', async () => {
  const pods = { kind: 'unavailable', reason: 'needs: list pods in kube-system', forbidden: true } as const;
  const diagnosis = await diagnose({ pods: [{ ready: false }], coreDns: { pods } });
  expect(diagnosis.findings).toMatchObject([{ code: 'coredns-not-ready', severity: 'error' }]);
  expect(diagnosis.limits).toEqual(['its pods: not judged (needs: list pods in kube-system)']);
});

const ended = { reason: 'Error', exitCode: 2, message: undefined, at: new Date('2026-03-27T02:00:01Z') };

test('restarts count when they are recent, or many', async () => {
  const now = '2026-03-28T02:00:00Z';
  expect(await codesOf({ now, pods: [{ restarts: 1, lastTermination: ended }] })).toEqual([
    'warning coredns-restarts',
  ]);
  const long = { ...ended, at: new Date('2026-03-27T01:59:59Z') };
  expect(await codesOf({ now, pods: [{ restarts: 4, lastTermination: long }] })).toEqual([]);
  expect(await codesOf({ now, pods: [{ restarts: 5, lastTermination: long }] })).toEqual([
    'warning coredns-restarts',
  ]);
  expect(await codesOf({ now, pods: [{ restarts: 4, lastTermination: undefined }] })).toEqual([]);
});

test('how it ended last is told', async () => {
  const lastTermination = { ...ended, reason: 'OOMKilled', exitCode: 137 };
  const { findings } = await diagnose({ pods: [{ restarts: 2, lastTermination }] });
  expect(findings).toMatchObject([
    {
      subject: `pod ${pod.name}`,
      message: `pod ${pod.name} of CoreDNS was restarted 2 times, the last time with exit code 137 (OOMKilled) at 2026-03-27T02:00:01.000Z`,
      remedy: { reason: expect.stringContaining('memory') },
    },
  ]);
});

test('a pod that crashes without a word is not ready, and restarts', async () => {
  expect(await codesOf({ pods: [crashing], log: '' })).toEqual([
    'error coredns-not-ready',
    'warning coredns-restarts',
  ]);
});
