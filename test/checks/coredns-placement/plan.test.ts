import { describe, expect, test } from 'vitest';
import { affinity, controlPlane, fieldsOf, hostname, onHosts, os, selector, stepsOf } from './plan.ts';
import {
  anotherServer,
  answering,
  deployment,
  diagnose,
  onServer,
  onWorker,
  podAt,
  readCorefile,
  server,
  serverName,
  service,
  silent,
  worker,
  workerName,
} from './two-nodes.ts';

test('the whole plan of the incident', async () => {
  const { findings, plan } = await diagnose();
  const object = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
  const words = 'nodes with node-role.kubernetes.io/control-plane=true';
  expect(plan(() => true)).toEqual({
    repairs: findings.slice(0, 1),
    steps: [
      {
        kind: 'kube-patch',
        title: `pin CoreDNS to ${words}`,
        object,
        fields: [{ pointer: selector, was: os, value: { ...os, [controlPlane]: 'true' } }],
      },
      {
        kind: 'wait',
        title: `CoreDNS runs on ${words}`,
        until: { kind: 'rolled-out', object },
        deadlineMs: 120_000,
      },
      {
        kind: 'wait',
        title: `cluster DNS answers at ${service}`,
        until: {
          kind: 'dns-answers',
          questions: [
            {
              server: service,
              protocol: 'udp',
              name: 'kubernetes.default.svc.cluster.local',
              type: 'A',
              timeoutMs: 1_500,
            },
          ],
        },
        deadlineMs: 60_000,
      },
    ],
  });
  expect(plan(() => false)).toEqual({ steps: [], repairs: [] });
});

test('the deadline of the roll-out, the name that is asked for and the addresses are those of the cluster', async () => {
  const corefile = readCorefile('.:53 {\n kubernetes k8s.example\n}\n');
  const steps = await stepsOf({
    corefile: { ...corefile, domain: 'k8s.example' } as typeof corefile,
    settings: { rolloutSeconds: 300 },
    coreDns: { service: { kind: 'known', value: [service, 'fd00:43::a'] } },
    answers: {
      [onWorker]: silent(onWorker),
      [service]: silent(service),
      'fd00:43::a': answering('fd00:43::a'),
    },
  });
  expect(steps[1]).toMatchObject({ deadlineMs: 300_000 });
  // What does not answer although the other one does is not healed by a move.
  expect(steps[2]).toMatchObject({
    until: { questions: [{ server: 'fd00:43::a', name: 'kubernetes.default.svc.k8s.example' }] },
  });
});

describe('after the pin', () => {
  const pinned = { nodeSelector: { ...os, [controlPlane]: 'true' } };
  const moved = {
    pods: [podAt('coredns-new', serverName, onServer)],
    answers: { [onServer]: answering(onServer), [service]: answering(service) },
  };

  test('there is nothing more to do', async () => {
    expect(await stepsOf({ ...moved, deployment: pinned })).toEqual([]);
  });

  test('pods that do not follow get no second one', async () => {
    const { findings, plan } = await diagnose({ deployment: pinned });
    expect(plan(() => true).steps).toEqual([]);
    expect(findings[0]).toMatchObject({
      code: 'coredns-unreachable',
      remedy: { kind: 'none', reason: expect.stringContaining('rollout status deployment coredns') },
    });
  });

  test('once k3s has taken it away and the pod is on the worker again, the same plan is made again', async () => {
    expect(await stepsOf({ pods: [podAt('coredns-newer', workerName, onWorker)] })).toEqual(
      await stepsOf({}),
    );
  });
});

describe('what a Deployment is pinned by', () => {
  const second = anotherServer('second', 2);
  const nodes = [worker, server, second];

  test('the label of servers has the value that is there', async () => {
    const of = (value: string, key = controlPlane) => ({ ...server, labels: { ...os, [key]: value } });
    const pinnedTo = async (...servers: readonly (typeof server)[]) =>
      fieldsOf({ nodes: [worker, ...servers] });
    expect(await pinnedTo(of(''))).toMatchObject([{ value: { ...os, [controlPlane]: '' } }]);
    const master = 'node-role.kubernetes.io/master';
    expect(await pinnedTo(of('true', master))).toMatchObject([{ value: { ...os, [master]: 'true' } }]);
    const mixed = await diagnose({
      nodes: [worker, of(''), { ...second, labels: { ...os, [controlPlane]: 'true' } }],
    });
    expect(mixed.findings[0]?.remedy).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('no label in common'),
    });
  });

  test('one node by its label, which is not always its name', async () => {
    const named = { ...server, labels: { ...server.labels, [hostname]: 'noble' } };
    expect(await fieldsOf({ nodes: [worker, named], settings: { nodes: [serverName] } })).toEqual([
      { pointer: selector, was: os, value: { ...os, [hostname]: 'noble' } },
    ]);
  });

  test('several nodes by an affinity', async () => {
    expect(await fieldsOf({ nodes, settings: { nodes: ['second', serverName] } })).toEqual([
      { pointer: affinity, value: onHosts(serverName, 'second') },
    ]);
  });

  test('a selector as it is', async () => {
    const labels = { zone: 'a', disk: 'fast' };
    const zoned = { ...server, labels: { ...server.labels, ...labels } };
    expect(await fieldsOf({ nodes: [worker, zoned], settings: { selector: labels } })).toEqual([
      { pointer: selector, was: os, value: { ...os, ...labels } },
    ]);
  });

  test('a Deployment without a nodeSelector gets one', async () => {
    expect(await fieldsOf({ deployment: { nodeSelector: undefined } })).toEqual([
      { pointer: selector, value: { [controlPlane]: 'true' } },
    ]);
  });

  test('another order takes the place of an earlier one', async () => {
    const settings = { nodes: ['second', serverName] };
    const byName = { nodeSelector: { ...os, [hostname]: serverName } };
    expect(await fieldsOf({ nodes, settings, deployment: byName })).toEqual([
      { pointer: selector, was: byName.nodeSelector, value: os },
      { pointer: affinity, value: onHosts(serverName, 'second') },
    ]);
    const byNames = { affinity: onHosts(serverName, 'gone') };
    expect(await fieldsOf({ nodes, settings, deployment: byNames })).toEqual([
      { pointer: affinity, was: byNames.affinity, value: onHosts(serverName, 'second') },
    ]);
    expect(await fieldsOf({ nodes, settings: { nodes: [serverName] }, deployment: byNames })).toEqual([
      { pointer: selector, was: os, value: { ...os, [hostname]: serverName } },
      { pointer: affinity, was: byNames.affinity },
    ]);
  });
});

test('the recorded Deployment has what k3s gives it', () => {
  expect(deployment).toMatchObject({
    nodeSelector: os,
    affinity: undefined,
    replicas: 1,
    version: [1, 12, 3],
  });
});
