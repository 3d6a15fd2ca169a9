import { describe, expect, test } from 'vitest';
import { corednsPlacement } from '../../../src/checks/coredns-placement/check.ts';
import { presenceFact } from '../../../src/facts/dns/presence.ts';
import { givenFacts } from '../../facts/given-facts.ts';
import {
  answering,
  type Changes,
  diagnose,
  onServer,
  onWorker,
  pod,
  podAt,
  serverName,
  service,
  silent,
  workerName,
} from './two-nodes.ts';

const needsPods = {
  kind: 'unavailable',
  reason: 'needs: list pods in kube-system',
  forbidden: true,
} as const;
const needsDeployment = {
  kind: 'unavailable',
  reason: 'needs: get deployments in kube-system',
  forbidden: true,
} as const;
const noRights = { deployment: needsDeployment, pods: needsPods };
const away = {
  kind: 'unavailable',
  reason: 'connection to 127.0.0.1:6443 refused',
  forbidden: false,
} as const;
const apiAway = { deployment: away, pods: away, config: away, custom: away, service: away };

async function outcomeOf(changes: Changes) {
  const { outcome, reasons, limits, findings } = await diagnose(changes);
  return { outcome, reasons, limits, codes: findings.map(({ code }) => code) };
}

test('a machine that has nothing to do with a cluster is skipped, and no packet is sent', async () => {
  const context = await givenFacts({ [presenceFact.id]: { kind: 'absent', reason: 'no kubelet is here' } });
  expect(await corednsPlacement.run(context)).toMatchObject({
    outcome: 'skipped',
    reasons: ['no kubelet is here'],
  });
});

describe('an agent without rights', () => {
  test('judges whether cluster DNS answers here, and says which right it lacks for more', async () => {
    const answers = { [service]: answering(service) };
    expect(await outcomeOf({ coreDns: noRights, self: workerName, answers })).toEqual({
      outcome: 'ok',
      reasons: [],
      limits: [
        'where CoreDNS runs is not known (needs: list pods in kube-system): judged is whether cluster DNS answers here',
      ],
      codes: [],
    });
  });

  test('says so where it does not, and what to do', async () => {
    const { outcome, findings } = await diagnose({
      coreDns: noRights,
      answers: { [service]: silent(service) },
    });
    expect(outcome).toBe('findings');
    expect(findings).toMatchObject([
      {
        code: 'coredns-service-unreachable',
        message: `cluster DNS does not answer at ${service}: pods on this node resolve no name`,
        remedy: {
          kind: 'none',
          reason: expect.stringContaining('run "doctor check coredns-placement flannel-vtep" on a server'),
        },
      },
    ]);
  });

  test('is skipped where nothing can be judged: it is not ill', async () => {
    const forbidden = { kind: 'unavailable', reason: 'needs: list services', forbidden: true } as const;
    expect(await outcomeOf({ coreDns: { ...noRights, service: forbidden }, answers: {} })).toEqual({
      outcome: 'skipped',
      reasons: ['where CoreDNS runs is not known: needs: list pods in kube-system'],
      limits: [],
      codes: [],
    });
  });

  test('that may list pods and not read the Deployment judges reach, and moves nothing', async () => {
    const { limits, findings, plan } = await diagnose({ coreDns: { deployment: needsDeployment } });
    expect(limits).toEqual(['what its Deployment says is not known: needs: get deployments in kube-system']);
    expect(findings[0]).toMatchObject({ code: 'coredns-unreachable', remedy: { kind: 'held' } });
    expect(plan(() => true).steps).toEqual([]);
  });

  test('that may not list nodes', async () => {
    const clusterNodes = { kind: 'unavailable', reason: 'needs: list nodes', forbidden: true } as const;
    expect(await outcomeOf({ clusterNodes, answers: { [service]: answering(service) } })).toMatchObject({
      outcome: 'ok',
      limits: [expect.stringContaining('needs: list nodes')],
    });
  });
});

test('the API is away: unknown', async () => {
  expect(await outcomeOf({ coreDns: apiAway, answers: {} })).toEqual({
    outcome: 'unknown',
    reasons: ['where CoreDNS runs is not known: connection to 127.0.0.1:6443 refused'],
    limits: [],
    codes: [],
  });
});

describe('CoreDNS is no Deployment', () => {
  const absent = { kind: 'absent' } as const;

  test('but a DaemonSet, which is on all nodes', async () => {
    const pods = { kind: 'known', value: [podAt('dns-a', workerName), podAt('dns-b', serverName)] } as const;
    expect(await outcomeOf({ coreDns: { deployment: absent, pods } })).toMatchObject({
      outcome: 'skipped',
      reasons: [
        `there is no Deployment coredns in kube-system: cluster DNS at ${service} is served by dns-a on ${workerName}, dns-b on ${serverName}`,
      ],
    });
  });

  test('nor anything that is known', async () => {
    const coreDns = { deployment: absent, pods: { kind: 'known', value: [] }, service: absent } as const;
    expect(await outcomeOf({ coreDns })).toMatchObject({
      outcome: 'skipped',
      reasons: ["there is no Deployment coredns in kube-system: cluster DNS is somebody else's"],
    });
  });

  test('or one without pods', async () => {
    expect(await outcomeOf({ pods: [] })).toMatchObject({
      outcome: 'skipped',
      reasons: [expect.stringContaining('coredns-health')],
    });
  });
});

describe('what could not be asked', () => {
  const unasked = silent(onServer, { verdict: 'not-asked', detail: 'not asked: no socket' });
  const atServer = podAt('a', serverName, onServer);

  test('is unknown where it is all there is', async () => {
    expect(await outcomeOf({ pods: [atServer], answers: { [onServer]: unasked } })).toMatchObject({
      outcome: 'findings',
      reasons: [`CoreDNS at ${onServer} could not be asked from here: not asked: no socket`],
      codes: ['coredns-single'],
    });
  });

  test('is a limit where another one could', async () => {
    const answers = { [onServer]: unasked, [onWorker]: answering(onWorker) };
    expect(await outcomeOf({ pods: [atServer, pod], answers })).toMatchObject({
      reasons: [],
      limits: [`CoreDNS at ${onServer} could not be asked from here: not asked: no socket`],
    });
  });
});

test('a machine outside of the cluster judges where it runs, and not who reaches it', async () => {
  expect(await outcomeOf({ kubelet: false, self: null })).toEqual({
    outcome: 'findings',
    reasons: ['this machine is no node: whether nodes reach CoreDNS cannot be seen from it'],
    limits: [],
    codes: ['coredns-off-policy', 'coredns-single'],
  });
});

test('a name that no node has, and a node that does not know its own, are said', async () => {
  const { limits } = await diagnose({ settings: { nodes: [serverName, 'typo'] }, self: null });
  expect(limits).toEqual([
    'checks.coredns-placement.nodes: no node of this cluster is called typo',
    "which of the cluster's nodes this machine is is not known",
  ]);
});
