import { describe, expect, test } from 'vitest';
import { type CoreDns, coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { presenceFact } from '../../../src/facts/dns/presence.ts';
import type { Edits } from '../edited-recording.ts';
import { dnsNode } from './dns-node.ts';

const api = {
  deployment: '/apis/apps/v1/namespaces/kube-system/deployments/coredns',
  pods: '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns',
  config: '/api/v1/namespaces/kube-system/configmaps/coredns',
  custom: '/api/v1/namespaces/kube-system/configmaps/coredns-custom',
  service: '/api/v1/namespaces/kube-system/services?fieldSelector=metadata.name%3Dkube-dns',
};

async function coreDns(edits: Edits = {}, statuses: Readonly<Record<string, number>> = {}): Promise<CoreDns> {
  const { context } = await dnsNode({ edits, statuses });
  return context.get(coreDnsFact);
}

/** What becomes of a recorded answer of the API. */
function edited(name: string, edit: (object: never) => void): Edits {
  return {
    texts: {
      [`${name}.json`]: (text) => {
        const object = JSON.parse(text);
        edit(object as never);
        return JSON.stringify(object);
      },
    },
  };
}

test('CoreDNS of the recording', async () => {
  const found = await coreDns({}, { [api.custom]: 404 });
  expect(found).toEqual({
    deployment: {
      kind: 'known',
      value: {
        path: api.deployment,
        replicas: 1,
        available: 0,
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        affinity: undefined,
        tolerations: [
          { key: 'CriticalAddonsOnly', operator: 'Exists' },
          { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
          { key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' },
        ],
        image: 'rancher/mirrored-coredns-coredns:1.12.3',
        version: [1, 12, 3],
      },
    },
    pods: {
      kind: 'known',
      value: [
        {
          name: 'coredns-6799fbcd5-x7k2p',
          node: 'aws-worker-1',
          address: '10.42.1.5',
          phase: 'Running',
          ready: true,
          isEnding: false,
          restarts: 0,
          containerId: 'aa',
        },
      ],
    },
    config: {
      kind: 'known',
      value: {
        path: api.config,
        data: {
          Corefile: expect.stringContaining('forward . 8.8.8.8 1.1.1.1'),
          NodeHosts: expect.any(String),
        },
      },
    },
    custom: { kind: 'absent' },
    service: { kind: 'known', value: ['10.43.0.11'] },
  });
});

test('each part is asked for once, whoever wants it, and nothing else is', async () => {
  const { context, asked } = await dnsNode();
  await Promise.all([context.get(coreDnsFact), context.get(presenceFact)]);
  expect(asked.toSorted()).toEqual(
    Object.values(api)
      .map((path) => `GET ${path}`)
      .toSorted(),
  );
});

describe('a part', () => {
  test('that is forbidden names the right that is missing', async () => {
    const found = await coreDns({}, Object.fromEntries(Object.values(api).map((path) => [path, 403])));
    expect(Object.fromEntries(Object.entries(found).map(([part, value]) => [part, value.reason]))).toEqual({
      deployment: 'needs: get deployments in kube-system',
      pods: 'needs: list pods in kube-system',
      config: 'needs: get configmaps in kube-system',
      custom: 'needs: get configmaps in kube-system',
      service: 'needs: list services in kube-system',
    });
    expect(Object.values(found).every((part) => part.kind === 'unavailable' && part.forbidden)).toBe(true);
  });

  test('that cannot be had says why, and is not forbidden', async () => {
    expect((await coreDns({}, { [api.config]: 500 })).config).toEqual({
      kind: 'unavailable',
      reason: '127.0.0.1:6443 answered 500',
      forbidden: false,
    });
  });

  test.each<[keyof CoreDns, string, string]>([
    ['deployment', 'deployment', 'spec: expected object, received undefined'],
    ['pods', 'pods', 'items: expected array, received undefined'],
    ['config', 'coredns', 'metadata: expected object, received undefined'],
    ['service', 'services', 'items: expected array, received undefined'],
  ])('%s that is something else says what is wrong with it', async (part, file, fault) => {
    const found = (await coreDns({ texts: { [`${file}.json`]: () => '{}' } }))[part];
    const path = api[part];
    const reason = `the API's answer to GET ${path} cannot be read: ${fault}`;
    expect(found).toEqual({ kind: 'unavailable', reason, forbidden: false });
  });
});

describe('of the Deployment', () => {
  type Deployment = {
    spec: {
      replicas: unknown;
      template: {
        spec: { containers: { image: unknown; name: string }[]; affinity: unknown; tolerations: unknown };
      };
    };
    status: unknown;
  };
  async function deployment(edit: (object: Deployment) => void) {
    const found = (await coreDns(edited('deployment', edit))).deployment;
    if (found.kind !== 'known') throw new Error(JSON.stringify(found));
    return found.value;
  }

  test.each<[string | undefined, readonly number[] | undefined]>([
    ['registry.k8s.io/coredns/coredns:v1.11.1', [1, 11, 1]],
    ['registry.local:5000/mirror/coredns:1.9.3-build.2@sha256:00', [1, 9, 3]],
    ['registry.local:5000/mirror/coredns', undefined],
    ['coredns/coredns:latest', undefined],
    ['coredns/coredns@sha256:0123', undefined],
    [undefined, undefined],
  ])('the image %s is of version %j', async (image, version) => {
    const found = await deployment((object) => {
      for (const container of object.spec.template.spec.containers) container.image = image;
    });
    expect(found).toMatchObject({ image, version });
  });

  test('the container counts that serves DNS', async () => {
    const found = await deployment((object) => {
      object.spec.template.spec.containers.unshift({ name: 'exporter', image: 'coredns-exporter:2.0' });
    });
    expect(found.version).toEqual([1, 12, 3]);
  });

  test('what keeps its pods from moving', async () => {
    const found = await deployment(({ spec }) => {
      Object.assign(spec, { paused: true });
      Object.assign(spec.template.spec, { nodeName: 'aws-worker-1' });
    });
    expect(found).toMatchObject({ isPaused: true, nodeName: 'aws-worker-1' });
  });

  test('replicas and those that are available', async () => {
    const found = await deployment((object) => {
      object.spec.replicas = 3;
      object.status = { availableReplicas: 2 };
    });
    expect(found).toMatchObject({ replicas: 3, available: 2 });
  });

  test('what is left out or null is its default', async () => {
    const found = await deployment((object) => {
      object.spec.replicas = null;
      object.status = null;
      object.spec.template.spec.affinity = null;
      object.spec.template.spec.tolerations = [
        { key: 'a', value: 'b' },
        { operator: 'Exists' },
        { operator: 'Gt' },
      ];
    });
    expect(found).toMatchObject({
      replicas: 1,
      available: 0,
      affinity: undefined,
      tolerations: [
        { key: 'a', operator: 'Equal', value: 'b', effect: undefined },
        { key: undefined, operator: 'Exists' },
      ],
    });
  });
});

describe('of a pod', () => {
  type Pod = {
    metadata: Record<string, unknown>;
    spec: Record<string, unknown>;
    status: Record<string, unknown>;
  };
  async function pod(edit: (object: Pod) => void) {
    const found = (
      await coreDns(edited('pods', ({ items: [first] }: { items: Pod[] }) => first && edit(first)))
    ).pods;
    if (found.kind !== 'known') throw new Error(JSON.stringify(found));
    return found.value[0];
  }

  test('why it does not run, and how it ended', async () => {
    const found = await pod(({ status }) => {
      status['containerStatuses'] = [
        {
          name: 'coredns',
          ready: false,
          restartCount: 12,
          containerID: 'containerd://0a1b',
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
          lastState: {
            terminated: {
              exitCode: 1,
              reason: 'Error',
              message: ' loop \n',
              finishedAt: '2026-11-20T18:00:00Z',
            },
          },
        },
      ];
    });
    expect(found).toMatchObject({
      restarts: 12,
      waiting: 'CrashLoopBackOff',
      containerId: '0a1b',
      lastTermination: {
        reason: 'Error',
        exitCode: 1,
        message: 'loop',
        at: new Date('2026-11-20T18:00:00Z'),
      },
    });
  });

  test('why it has no node', async () => {
    const found = await pod(({ spec, status }) => {
      delete spec['nodeName'];
      for (const name of ['podIP', 'containerStatuses']) delete status[name];
      status['phase'] = 'Pending';
      status['conditions'] = [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/2 nodes are available',
        },
      ];
    });
    expect(found).toMatchObject({
      node: undefined,
      address: undefined,
      phase: 'Pending',
      ready: false,
      unschedulable: '0/2 nodes are available',
      restarts: 0,
      waiting: undefined,
      lastTermination: undefined,
    });
  });

  test('that it is ending', async () => {
    const found = await pod(({ metadata }) => {
      metadata['deletionTimestamp'] = '2026-11-20T18:00:00Z';
    });
    expect(found?.isEnding).toBe(true);
  });
});

describe('the Service', () => {
  type Service = { spec: Record<string, unknown> };
  const service = (spec: Record<string, unknown>) =>
    edited('services', ({ items }: { items: Service[] }) => {
      for (const item of items) item.spec = spec;
    });

  test('has the addresses of both families', async () => {
    const spec = { clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10', '2001:db8:43::a'] };
    expect((await coreDns(service(spec))).service).toEqual({
      kind: 'known',
      value: ['10.43.0.10', '2001:db8:43::a'],
    });
  });

  test('that is headless has none', async () => {
    const headless = service({ clusterIP: 'None', clusterIPs: ['None'] });
    expect((await coreDns(headless)).service).toEqual({ kind: 'known', value: [] });
  });

  test('may not be there', async () => {
    const none = { texts: { 'services.json': () => '{"items":[]}' } };
    expect((await coreDns(none)).service).toEqual({ kind: 'absent' });
  });
});

describe('a cluster is here', () => {
  const noApi = { kube: [] };
  test.each<[string, Edits, Readonly<Record<string, number>>, 'present' | 'absent']>([
    ['where kubelet runs', { host: noApi }, {}, 'present'],
    ['where the API answers', { host: { processes: [] } }, {}, 'present'],
    ['where the API gives no right', { host: { ...noApi, processes: [] } }, { [api.config]: 403 }, 'present'],
    ['not where neither does', { host: { ...noApi, processes: [] } }, {}, 'absent'],
  ])('%s', async (_where, edits, statuses, kind) => {
    const { context } = await dnsNode({ edits, statuses });
    expect((await context.get(presenceFact)).kind).toBe(kind);
  });
});

test('a ConfigMap that nobody can change, and what of it is no text', async () => {
  const edits = edited('coredns', (object: object) => {
    Object.assign(object, { immutable: true, binaryData: { 'logo.override': 'AAAA' } });
  });
  const { config } = await coreDns(edits);
  expect(config).toMatchObject({ value: { isImmutable: true, binaryKeys: ['logo.override'] } });
});
