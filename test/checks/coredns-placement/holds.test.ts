import { describe, expect, test } from 'vitest';
import { fieldsOf, hostname, os, stepsOf } from './plan.ts';
import {
  anotherServer,
  answering,
  type Changes,
  diagnose,
  onWorker,
  readCorefile,
  server,
  serverName,
  service,
  silent,
  worker,
  workerName,
} from './two-nodes.ts';

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
      /a second forward besides the one in .*, which CoreDNS before 1\.9\.4 refuses$/,
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
    ['its roll-out is paused', { deployment: { isPaused: true } }, /the roll-out of .* is paused: /],
    [
      'its pods name their node',
      { deployment: { nodeName: workerName } },
      /has bound the Deployment coredns to node .* \(spec\.template\.spec\.nodeName\)/,
    ],
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
