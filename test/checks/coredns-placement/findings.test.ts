import { describe, expect, test } from 'vitest';
import {
  anotherServer,
  answering,
  diagnose,
  findingsOf,
  onServer,
  onWorker,
  pod,
  podAt,
  reasonOf,
  server,
  serverName,
  service,
  silent,
  worker,
  workerName,
} from './two-nodes.ts';

const healthy = { [onServer]: answering(onServer), [service]: answering(service) };
const atServer = podAt('coredns-6799fbcd5-qq2zd', serverName, onServer);
const reachedWorker = { [onWorker]: answering(onWorker), [service]: answering(service) };

test('the incident: CoreDNS on a worker that this server does not reach', async () => {
  const { outcome, reasons, limits, findings } = await diagnose();
  expect({ outcome, reasons, limits }).toEqual({ outcome: 'findings', reasons: [], limits: [] });
  expect(findings).toEqual([
    {
      code: 'coredns-unreachable',
      subject: 'node aws-worker-1',
      severity: 'error',
      message:
        'CoreDNS (10.42.1.5) runs on node aws-worker-1, which this node does not reach over the overlay: pods on this node resolve no name',
      effect: 'loses',
      evidence: [
        { source: 'UDP query to CoreDNS there', observed: 'no answer in 3 tries of 1.5 s' },
        { source: 'TCP query to CoreDNS there', observed: 'no answer in 3 tries of 1.5 s' },
        { source: 'ping to node aws-worker-1 over the overlay', observed: 'silent' },
        {
          source: 'annotation flannel.alpha.coreos.com/public-ip',
          observed: '172.31.39.213 at aws-worker-1',
        },
        {
          source: 'effect',
          observed:
            'a fix pins CoreDNS to nodes with node-role.kubernetes.io/control-plane=true, some seconds without DNS while its pod moves; a k3s server that starts may take the pin away, and the next fix sets it again',
        },
      ],
      remedy: { kind: 'planned' },
    },
  ]);
});

test('what is the same in every run, whatever its pods are called, is how a finding is known', async () => {
  const again = await diagnose({
    pods: [podAt('coredns-6799fbcd5-other', workerName, '10.42.1.99')],
    answers: { '10.42.1.99': silent('10.42.1.99'), [service]: silent(service) },
  });
  const before = await diagnose();
  const known = ({ findings }: typeof before) =>
    findings.map(({ code, subject, evidence }) => ({ code, subject, evidence }));
  expect(known(again)).toEqual(known(before));
  // How long an answer took is another time each time.
  const half = silent(onWorker);
  const slow = (elapsed: string) => ({
    ...half,
    byProtocol: {
      ...half.byProtocol,
      tcp: answering(onWorker, { detail: elapsed }).byProtocol.tcp ?? half.byProtocol.udp,
    },
  });
  const at = async (elapsed: string) => diagnose({ answers: { [onWorker]: slow(elapsed) as typeof half } });
  expect(known(await at('answered in 4 ms'))).toEqual(known(await at('answered in 7 ms')));
  expect((await at('answered in 4 ms')).findings[0]).toMatchObject({ code: 'coredns-unreachable' });
});

describe('nothing but one replica is wrong', () => {
  test('where it runs on the server and answers', async () => {
    expect(await findingsOf({ pods: [atServer], answers: healthy })).toEqual([
      'warning coredns-single (CoreDNS): none',
    ]);
  });

  test('and not even that in a cluster of one node, or of one that is ready', async () => {
    const here = { pods: [atServer], answers: healthy };
    expect(await diagnose({ ...here, nodes: [server] })).toMatchObject({ outcome: 'ok', reasons: [] });
    expect(await findingsOf({ ...here, nodes: [server, { ...worker, ready: false }] })).toEqual([]);
  });

  test('and not where there are two, on two nodes', async () => {
    const second = anotherServer('second', 2);
    const pods = [atServer, podAt('b', 'second', '10.42.2.3')];
    const answers = { ...healthy, '10.42.2.3': answering('10.42.2.3') };
    expect(await findingsOf({ nodes: [server, second, worker], pods, answers })).toEqual([]);
  });

  test('what would be done about it depends on how many nodes may run it', async () => {
    const here = { pods: [atServer], answers: healthy };
    expect(await reasonOf('coredns-single', here)).toMatch(/^none: only one node may run it by policy/);
    const nodes = [server, anotherServer('second', 2), worker];
    expect(await reasonOf('coredns-single', { ...here, nodes })).toMatch(/^none: "kubectl .* --replicas=2"/);
    const both = { pods: [atServer, { ...atServer, name: 'b' }], deployment: { replicas: 2 }, nodes };
    expect(await reasonOf('coredns-single', { ...here, ...both })).toMatch(/^none: see where the other/);
  });
});

describe('on a worker that is reached', () => {
  test('without an order it is left there, as it works', async () => {
    expect(await findingsOf({ answers: reachedWorker })).toEqual([
      'warning coredns-off-policy (node aws-worker-1): held',
      'warning coredns-single (CoreDNS): none',
    ]);
    expect(await reasonOf('coredns-off-policy', { answers: reachedWorker })).toBe(
      'held: it works where it is: set checks.coredns-placement.nodes to have it moved',
    );
    const { plan } = await diagnose({ answers: reachedWorker });
    expect(plan(() => true)).toEqual({ steps: [], repairs: [] });
  });

  test('and nothing is claimed where nobody asked it', async () => {
    expect(await reasonOf('coredns-off-policy', { answers: {} })).toMatch(
      /^held: nothing shows that it is not/,
    );
  });

  test.each([
    ['nodes', { nodes: [serverName] }, `it may run on ${serverName} alone`],
    [
      'a selector',
      { selector: { 'node-role.kubernetes.io/master': 'true' } },
      `it may run on ${serverName} alone`,
    ],
  ])('with %s ordered it is moved', async (_, settings, words) => {
    const { findings } = await diagnose({ answers: reachedWorker, settings });
    expect(findings[0]).toMatchObject({
      code: 'coredns-off-policy',
      message: `CoreDNS runs on node aws-worker-1; ${words}`,
      remedy: { kind: 'planned' },
    });
  });

  test('very many nodes are not all told', async () => {
    const servers = Array.from({ length: 30 }, (_, index) => anotherServer(`s${index}`, index + 10));
    const { findings, notes } = await diagnose({
      nodes: [worker, server, ...servers],
      answers: reachedWorker,
    });
    expect(findings[0]?.message).toBe(
      `CoreDNS runs on node aws-worker-1; by policy it belongs on a server (${serverName}, s0, s1, s2, s3, s4 and 25 others)`,
    );
    expect(notes[0]).toContain(' s4 and 25 others');
  });

  test('nothing is wrong where the order names that very node', async () => {
    const settings = { nodes: [workerName] };
    expect(await findingsOf({ answers: reachedWorker, settings })).toEqual([
      'warning coredns-single (CoreDNS): none',
    ]);
  });

  test('nothing is against the policy where no server is a node', async () => {
    const other = { ...worker, name: 'other', labels: {}, podCidrs: ['10.42.3.0/24'] };
    const found = await findingsOf({ nodes: [worker, other], self: 'other', answers: reachedWorker });
    expect(found).toEqual(['warning coredns-single (CoreDNS): none']);
  });
});

describe('some pods are reached and some are not', () => {
  const pods = [atServer, pod];
  const answers = { ...healthy, [onWorker]: silent(onWorker) };

  test('what goes to those is lost', async () => {
    const { findings } = await diagnose({ pods, answers, deployment: { replicas: 2 } });
    expect(findings).toMatchObject([
      {
        code: 'coredns-unreachable',
        subject: 'node aws-worker-1',
        message: expect.stringContaining('that go there are lost (1 other answers)'),
        remedy: { kind: 'planned' },
      },
    ]);
  });

  test('those that are reached and off policy go with them, as one pin moves all', async () => {
    const third = { ...worker, name: 'third', podCidrs: ['10.42.3.0/24'] };
    const there = podAt('c', 'third', '10.42.3.5');
    const changes = {
      nodes: [server, worker, third],
      pods: [pod, there],
      answers: {
        [onWorker]: silent(onWorker),
        '10.42.3.5': answering('10.42.3.5'),
        [service]: answering(service),
      },
    };
    expect(await findingsOf(changes)).toEqual([
      'error coredns-unreachable (node aws-worker-1): planned',
      'warning coredns-off-policy (node third): planned',
    ]);
    const { plan, findings } = await diagnose(changes);
    expect(plan(() => true).repairs).toEqual(findings);
    // All of it or none of it.
    expect(plan(({ code }) => code === 'coredns-unreachable')).toEqual({ steps: [], repairs: [] });
  });
});

describe('unreachable where it may run', () => {
  test('on this very node nothing is moved', async () => {
    const changes = {
      pods: [atServer],
      answers: { [onServer]: silent(onServer), [service]: silent(service) },
    };
    const { findings } = await diagnose(changes);
    expect(findings[0]).toMatchObject({
      code: 'coredns-unreachable',
      message: `CoreDNS (${onServer}) runs on this very node and does not answer it: pods on this node resolve no name`,
      remedy: { kind: 'none', reason: expect.stringContaining('essential-flows') },
    });
  });

  test.each([
    [
      'silent',
      /^none: "doctor check flannel-vtep ufw-overlay" says why, here or on second; it may run there/,
    ],
    [
      'answered',
      /^none: the overlay to second works: run "doctor check essential-flows forward-rules" there/,
    ],
  ] as const)('on another server whose overlay is %s', async (overlay, reason) => {
    const second = anotherServer('second', 2);
    const changes = {
      nodes: [server, second],
      pods: [podAt('b', 'second', '10.42.2.3')],
      answers: { '10.42.2.3': silent('10.42.2.3') },
      overlay: { '10.42.2.0': overlay },
    };
    expect(await reasonOf('coredns-unreachable', changes)).toMatch(reason);
  });

  test('on a worker that the order names', async () => {
    expect(await reasonOf('coredns-unreachable', { settings: { nodes: [workerName] } })).toMatch(/^none: /);
  });
});

describe('pods that are not ready', () => {
  test('are left to coredns-health', async () => {
    const { findings, reasons } = await diagnose({ pods: [{ ...pod, ready: false }] });
    expect(findings.map(({ code }) => code)).toEqual(['coredns-off-policy', 'coredns-single']);
    expect(reasons).toEqual(['no pod of CoreDNS is ready: "doctor check coredns-health" says why']);
  });

  test('unless it is their node that is gone', async () => {
    const nodes = [{ ...worker, ready: false }, server];
    const { findings } = await diagnose({ nodes, pods: [{ ...pod, ready: false }] });
    expect(findings).toMatchObject([
      {
        code: 'coredns-unreachable',
        message: expect.stringContaining('aws-worker-1, which is not ready, and does not answer'),
        remedy: { kind: 'planned' },
      },
    ]);
  });

  test('those that end, and those that were evicted, are looked at no more', async () => {
    const pods = [atServer, { ...pod, isEnding: true }, { ...pod, phase: 'Failed', ready: false }];
    expect(await findingsOf({ pods, answers: healthy })).toEqual(['warning coredns-single (CoreDNS): none']);
  });
});

describe('the Service', () => {
  test('does not answer, though a pod does', async () => {
    const answers = { [onServer]: answering(onServer), [service]: silent(service) };
    const { findings } = await diagnose({ pods: [atServer], answers });
    expect(findings[0]).toMatchObject({
      code: 'coredns-service-unreachable',
      subject: `service ${service}`,
      severity: 'error',
      effect: 'loses',
      remedy: { kind: 'none', reason: expect.stringContaining('iptables-ghosts') },
    });
  });

  test('a refusal is an answer: it got there', async () => {
    const answers = {
      [onServer]: answering(onServer, { verdict: 'servfail', detail: 'SERVFAIL' }),
      [service]: answering(service, { verdict: 'refused', detail: 'REFUSED' }),
    };
    expect(await findingsOf({ pods: [atServer], answers })).toEqual([
      'warning coredns-single (CoreDNS): none',
    ]);
  });

  test('rejected by ICMP is as good as lost', async () => {
    const rejected = silent(onServer, { verdict: 'blocked', detail: 'rejected (ICMP port unreachable)' });
    expect(await findingsOf({ pods: [atServer], answers: { [onServer]: rejected } })).toContain(
      `error coredns-unreachable (node ${serverName}): none`,
    );
  });
});

describe('a pod that found no node', () => {
  const unschedulable = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.";
  const pending = { ...podAt('coredns-7d8', undefined), phase: 'Pending', ready: false, unschedulable };
  const hostname = 'kubernetes.io/hostname';
  const pinned = { nodeSelector: { 'kubernetes.io/os': 'linux', [hostname]: 'gone' } };

  test('because of an earlier pin, is told with that pin and what to do', async () => {
    const { findings, plan } = await diagnose({
      pods: [pending],
      deployment: pinned,
      answers: { [service]: silent(service) },
    });
    expect(findings).toEqual([
      {
        code: 'coredns-unplaced',
        subject: 'pods without a node',
        severity: 'error',
        message: `1 pod of CoreDNS found no node, and none else is ready: ${unschedulable}`,
        effect: 'loses',
        evidence: [
          {
            source: 'nodeSelector of the Deployment coredns',
            observed: 'kubernetes.io/os=linux, kubernetes.io/hostname=gone',
          },
        ],
        remedy: { kind: 'none', reason: expect.stringContaining('once its nodeSelector is gone') },
      },
    ]);
    expect(plan(() => true).steps).toEqual([]);
  });

  test('is pinned anew where the operator says where it may run', async () => {
    const changes = {
      pods: [pending],
      deployment: pinned,
      settings: { nodes: [serverName] },
      answers: { [service]: silent(service) },
    };
    const { plan } = await diagnose(changes);
    expect(plan(() => true).steps[0]).toMatchObject({
      fields: [
        {
          pointer: '/spec/template/spec/nodeSelector',
          was: pinned.nodeSelector,
          value: { 'kubernetes.io/os': 'linux', [hostname]: serverName },
        },
      ],
    });
  });

  test('while another one serves, is a warning', async () => {
    const found = await findingsOf({ pods: [atServer, pending], answers: healthy });
    expect(found[0]).toBe('warning coredns-unplaced (pods without a node): none');
  });

  test('whose nodes take none says why', async () => {
    const nodes = [worker, { ...server, unschedulable: true }];
    const changes = {
      nodes,
      pods: [pending],
      deployment: { nodeSelector: { 'node-role.kubernetes.io/control-plane': 'true' } },
    };
    expect(await reasonOf('coredns-unplaced', changes)).toContain(`${serverName} is cordoned; `);
  });
});
