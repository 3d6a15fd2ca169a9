import { describe, expect, test } from 'vitest';
import type { Step } from '../../../src/engine/step.ts';
import {
  anotherServer,
  answering,
  type Changes,
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

const selector = '/spec/template/spec/nodeSelector';
const affinity = '/spec/template/spec/affinity';
const os = { 'kubernetes.io/os': 'linux' };
const hostname = 'kubernetes.io/hostname';
const controlPlane = 'node-role.kubernetes.io/control-plane';

async function stepsOf(changes: Changes): Promise<readonly Step[]> {
  const { plan } = await diagnose(changes);
  return plan(() => true).steps;
}

async function fieldsOf(changes: Changes): Promise<unknown> {
  const [patch] = await stepsOf(changes);
  return patch?.kind === 'kube-patch' ? patch.fields : patch;
}

/** As `In` of a required node affinity. */
function onHosts(...values: readonly string[]): object {
  const terms = [{ matchExpressions: [{ key: hostname, operator: 'In', values }] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
}

test('the whole plan of the incident', async () => {
  const { findings, plan } = await diagnose();
  const object = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
  const words = 'nodes with node-role.kubernetes.io/control-plane=true';
  expect(plan(() => true)).toEqual({
    repairs: findings.slice(0, 1),
    steps: [
      {
        kind: 'kube-patch',
        title: `pin CoreDNS to ${words} (k3s takes that away when a server starts, and the next run sets it again)`,
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

describe('what somebody else has pinned', () => {
  const nodes = [worker, server];
  const held = async (changes: Changes) => (await diagnose({ nodes, ...changes })).findings[0]?.remedy;
  const stranger = {
    kind: 'held',
    reason: expect.stringMatching(/^somebody has pinned the Deployment coredns/),
  };

  test.each([
    ['the name of a node', { nodeSelector: { ...os, [hostname]: workerName } }],
    ['a label that no server has', { nodeSelector: { ...os, disk: 'fast' } }],
    ['another value of the same label', { nodeSelector: { ...os, [controlPlane]: 'false' } }],
    ['an affinity to other nodes', { affinity: onHosts(workerName) }],
  ])('is left alone without an order: %s', async (_, pinned) => {
    expect(await held({ deployment: pinned })).toEqual(stranger);
  });

  test('goes where it contradicts an order, and what does not stays', async () => {
    const pinned = { nodeSelector: { ...os, disk: 'fast', 'kubernetes.io/arch': 'amd64' } };
    expect(await fieldsOf({ nodes, deployment: pinned, settings: { nodes: [serverName] } })).toEqual([
      {
        pointer: selector,
        was: pinned.nodeSelector,
        value: { ...os, 'kubernetes.io/arch': 'amd64', [hostname]: serverName },
      },
    ]);
  });

  const terms = (matchExpressions: readonly object[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  });

  test.each([
    ['labels that a server has', terms([{ key: controlPlane, operator: 'Exists' }])],
    ['labels that it has not', terms([{ key: 'gpu', operator: 'DoesNotExist' }])],
    ['other values', terms([{ key: hostname, operator: 'NotIn', values: [workerName] }])],
    ['other pods', { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }],
    ['a preference', { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }],
  ])('an affinity that the pin can stand beside stays: %s', async (_, own) => {
    expect(await fieldsOf({ nodes, deployment: { affinity: own } })).toEqual([
      { pointer: selector, was: os, value: { ...os, [controlPlane]: 'true' } },
    ]);
  });

  test.each([
    ['values that no server has', terms([{ key: 'zone', operator: 'In', values: ['b'] }])],
    ['an operator that is not understood', terms([{ key: 'cores', operator: 'Gt', values: ['4'] }])],
    ['what is no affinity', { nodeAffinity: 'yes' }],
    ['a term for no node', terms([])],
  ])('one that it cannot stand beside is left alone, even by order: %s', async (_, own) => {
    expect(await held({ deployment: { affinity: own } })).toEqual(stranger);
    const settings = { nodes: [serverName] };
    expect(await held({ deployment: { affinity: own }, settings })).toEqual(stranger);
  });

  test('several nodes cannot be named beside any', async () => {
    const changes = {
      nodes: [...nodes, anotherServer('second', 2)],
      settings: { nodes: [serverName, 'second'] },
      deployment: { affinity: terms([{ key: controlPlane, operator: 'Exists' }]) },
    };
    expect(await held(changes)).toEqual({
      kind: 'held',
      reason: expect.stringContaining('an affinity of its own'),
    });
  });
});

describe('nothing is moved', () => {
  const reason = async (changes: Changes) => {
    const { findings, plan } = await diagnose(changes);
    expect(plan(() => true).steps).toEqual([]);
    const [{ code, remedy } = { code: 'none', remedy: undefined }] = findings;
    return `${code} ${remedy?.kind}: ${remedy !== undefined && 'reason' in remedy ? remedy.reason : ''}`;
  };
  const taint = (effect: string) => ({ key: 'CriticalAddonsOnly', value: 'true', effect });
  const strict = { tolerations: [] };

  test.each<[string, Changes, RegExp]>([
    ['the server is not ready', { nodes: [worker, { ...server, ready: false }] }, /is not ready$/],
    ['it is cordoned', { nodes: [worker, { ...server, unschedulable: true }] }, /-base is cordoned$/],
    [
      'it has a taint that is not tolerated',
      { nodes: [worker, { ...server, taints: [taint('NoExecute')] }], deployment: strict },
      /has the taint CriticalAddonsOnly=true:NoExecute, which CoreDNS does not tolerate$/,
    ],
    [
      'no node is called that',
      { settings: { nodes: ['nobody'] } },
      /no node of this cluster is called nobody \(checks\.coredns-placement\.nodes\)/,
    ],
    [
      'no node has such labels',
      { settings: { selector: { zone: 'x' } } },
      /no node of this cluster is as checks\.coredns-placement\.selector says/,
    ],
    [
      'the Deployment cannot be read',
      {
        coreDns: {
          deployment: {
            kind: 'unavailable',
            reason: 'needs: get deployments in kube-system',
            forbidden: true,
          },
        },
      },
      /cannot be read: needs: get deployments in kube-system$/,
    ],
    [
      'its configuration is broken, so that a new pod would not start',
      {
        corefile: {
          kind: 'broken',
          reason: 'unknown plugin',
          file: '/etc/coredns/custom/a.override',
          line: 3,
        },
      },
      /would not start with the configuration as it is \(\/etc\/coredns\/custom\/a\.override, line 3\): unknown plugin$/,
    ],
    [
      'its configuration is refused, as far as is known',
      {
        corefile: {
          ...readCorefile('.:53 {\n}\n'),
          refused: [{ reason: 'no plugin nope', file: undefined, line: 2 }],
        } as Changes['corefile'] & object,
      },
      /would not start with the configuration as it is: no plugin nope$/,
    ],
    [
      'it has two forward, and is old',
      {
        corefile: readCorefile('.:53 {\n forward . 192.0.2.1\n forward . 192.0.2.2\n}\n'),
        deployment: { version: [1, 9, 3] },
      },
      /two forward in one server block, which CoreDNS takes from 1\.9\.4 on$/,
    ],
    [
      'its configuration cannot be read',
      { corefile: { kind: 'unavailable', reason: 'needs: get configmaps', forbidden: true } },
      /not known without the Corefile: needs: get configmaps$/,
    ],
    [
      'NodeHosts is gone',
      {
        coreDns: {
          config: {
            kind: 'known',
            value: { path: '/x', data: { Corefile: 'hosts /etc/coredns/NodeHosts' } },
          },
        },
      },
      /ConfigMap coredns has no key NodeHosts/,
    ],
    [
      'the Service has no address',
      { coreDns: { service: { kind: 'absent' } } },
      /no Service kube-dns whose answer could prove the move$/,
    ],
    [
      'the Service cannot be read',
      { coreDns: { service: { kind: 'unavailable', reason: 'needs: list services', forbidden: true } } },
      /address of Service kube-dns is not known: needs: list services$/,
    ],
    [
      'the Service cannot be asked',
      { answers: { [onWorker]: silent(onWorker) } },
      /cluster DNS cannot be asked from here/,
    ],
    [
      'the server is not reached from here, either',
      { self: workerName, overlay: { '10.42.0.0': 'silent' }, settings: { nodes: [serverName] } },
      /would not be reached from here either: "doctor check flannel-vtep" says why$/,
    ],
    [
      'nobody knows whether it is',
      { self: workerName, overlay: 'not-asked', settings: { nodes: [serverName] } },
      /reached from here is not known \(checks\.flannel-vtep\.probe is off\): run it there$/,
    ],
    ['nobody knows which node this is', { self: null }, /reached from here is not known: run it there$/],
    [
      'two replicas would be spread over a server that takes none',
      {
        nodes: [worker, server, anotherServer('second', 2, { unschedulable: true })],
        deployment: { replicas: 2 },
      },
      /^coredns-unreachable held: CoreDNS has 2 replicas, .* second is cordoned: .* Name ubuntu.* in checks\.coredns-placement\.nodes/,
    ],
  ])('when %s', async (_, changes, expected) => {
    expect(await reason(changes)).toMatch(expected);
    expect(await reason(changes)).toMatch(/^coredns-(unreachable|off-policy) held: /);
  });

  const replaced = {
    nodes: [worker, server, anotherServer('second', 2, { unschedulable: true })],
    deployment: { replicas: 2 },
    settings: { nodes: [serverName] },
  };
  test('but two replicas find room on one node that is named', async () => {
    expect(await fieldsOf(replaced)).toMatchObject([{ value: { ...os, [hostname]: serverName } }]);
  });

  test.each<[string, Changes]>([
    ['k3s tolerates its taint', { nodes: [worker, { ...server, taints: [taint('NoExecute')] }] }],
    [
      'its taint only asks to be avoided',
      { nodes: [worker, { ...server, taints: [taint('PreferNoSchedule')] }], deployment: strict },
    ],
    [
      'every taint is tolerated',
      {
        nodes: [worker, { ...server, taints: [{ key: 'a', value: undefined, effect: 'NoSchedule' }] }],
        deployment: {
          tolerations: [{ key: undefined, operator: 'Exists', value: undefined, effect: undefined }],
        },
      },
    ],
    [
      'its taint has the value that is tolerated',
      {
        nodes: [worker, { ...server, taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] }],
        deployment: { tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }] },
      },
    ],
    ['the recorded taint is of a condition that has passed', {}],
    [
      'it is reached over the overlay',
      {
        self: workerName,
        answers: inTheWorld(),
        overlay: { '10.42.0.0': 'answered' },
        settings: { nodes: [serverName] },
      },
    ],
  ])('but it is where %s', async (_, changes) => {
    expect((await stepsOf(changes))[0]?.kind).toBe('kube-patch');
  });

  test.each([
    { key: 'a', operator: 'Equal', value: 'c', effect: 'NoSchedule' },
    { key: 'a', operator: 'Exists', value: undefined, effect: 'NoExecute' },
    { key: 'b', operator: 'Exists', value: undefined, effect: undefined },
    { key: undefined, operator: 'Equal', value: 'b', effect: undefined },
  ] as const)('a toleration of something else is none: %j', async (toleration) => {
    const nodes = [worker, { ...server, taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] }];
    expect(await stepsOf({ nodes, deployment: { tolerations: [toleration] } })).toEqual([]);
  });
});

/** Of a worker that reaches its own pod. */
function inTheWorld() {
  return { [onWorker]: answering(onWorker), [service]: answering(service) };
}

test('the recorded Deployment has what k3s gives it', () => {
  expect(deployment).toMatchObject({
    nodeSelector: os,
    affinity: undefined,
    replicas: 1,
    version: [1, 12, 3],
  });
});
