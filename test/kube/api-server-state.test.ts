/** That the API server of the tests does what the real one does, as far as the product and CoreDNS need it. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeAuthorizer } from '../lab/api-server/access.ts';
import type { ApiServer } from '../lab/api-server/server.ts';
import { ask } from './cluster.ts';
import { configMap, configMapsPath, corednsPath, deploymentPath, startDnsCluster } from './dns-cluster.ts';

const tokens = new Map([['token', 'lab']]);

interface Sent {
  readonly method?: string;
  readonly type?: string;
  readonly body?: unknown;
}

/** Any request, past the product's own client. */
async function send(server: ApiServer, path: string, { method = 'GET', type, body }: Sent = {}) {
  const response = await open(server, path, { method, ...(type !== undefined && { type }), body });
  return { code: response.statusCode, body: JSON.parse(JSON.stringify(await json(response))) };
}

async function open(
  server: ApiServer,
  path: string,
  { method = 'GET', type, body }: Sent,
): Promise<IncomingMessage> {
  const headers = { authorization: 'Bearer token', ...(type !== undefined && { 'content-type': type }) };
  const sent = request(`${server.url}${path}`, {
    ca: server.authority.certificate,
    method,
    headers,
    agent: false,
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  return response;
}

const merge = { method: 'PATCH', type: 'application/merge-patch+json' } as const;
const jsonPatch = { method: 'PATCH', type: 'application/json-patch+json' } as const;
const apply = { method: 'PATCH', type: 'application/apply-patch+yaml' } as const;

describe('lists', () => {
  test.each([
    ['', ['c', 'a', 'b']],
    ['?labelSelector=k8s-app%3Dkube-dns', ['c', 'a']],
    ['?labelSelector=k8s-app!=kube-dns', ['b']],
    ['?labelSelector=k8s-app+in+(kube-dns,x)', ['c', 'a']],
    ['?labelSelector=k8s-app+notin+(kube-dns,x)', ['b']],
    ['?labelSelector=k8s-app,!gone', ['c', 'a', 'b']],
    ['?fieldSelector=spec.nodeName%3Dnode-b', ['b']],
    ['?fieldSelector=status.phase!=Pending,metadata.namespace=default', ['c']],
    ['?limit=2', ['c', 'a']],
    ['?limit=2&continue=2', ['b']],
  ])('pods%s', async (query, names) => {
    const { server } = await startDnsCluster({ tokens });
    const { body } = await send(server, `/api/v1/pods${query}`);
    expect(body).toMatchObject({ kind: 'PodList', apiVersion: 'v1' });
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(names);
  });

  test('of one namespace, and of what is not there', async () => {
    const { server } = await startDnsCluster({ tokens });
    expect((await send(server, '/api/v1/namespaces/default/pods')).body.items).toHaveLength(1);
    expect(await send(server, '/api/v1/services')).toMatchObject({ code: 200, body: { items: [] } });
    expect((await send(server, '/apis/nothing.io/v1/things')).code).toBe(404);
  });
});

describe('changes', () => {
  test('each gets a higher resourceVersion; one of the spec, a higher generation; one that is none, neither', async () => {
    const { server } = await startDnsCluster({ tokens });
    const { metadata: first } = (await send(server, deploymentPath)).body;
    const scaled = (await send(server, deploymentPath, { ...merge, body: { spec: { replicas: 2 } } })).body;
    expect(scaled).toMatchObject({ spec: { replicas: 2 }, metadata: { generation: 2, uid: first.uid } });
    expect(Number(scaled.metadata.resourceVersion)).toBeGreaterThan(Number(first.resourceVersion));
    const again = (await send(server, deploymentPath, { ...merge, body: { spec: { replicas: 2 } } })).body;
    expect(again).toEqual(scaled);
    const status = { status: { observedGeneration: 2 }, spec: { replicas: 9 } };
    const observed = (await send(server, `${deploymentPath}/status`, { ...merge, body: status })).body;
    expect(observed).toMatchObject({ ...status, spec: { replicas: 2 }, metadata: { generation: 2 } });
    const without = (await send(server, deploymentPath, { ...merge, body: { metadata: { labels: null } } }))
      .body;
    expect(without.metadata).not.toHaveProperty('labels');
  });

  test('of a version that was left behind are refused', async () => {
    const { server } = await startDnsCluster({ tokens });
    const { body: read } = await send(server, corednsPath);
    await send(server, corednsPath, { ...merge, body: { data: { more: 'x' } } });
    const put = await send(server, corednsPath, { method: 'PUT', body: read });
    expect(put).toMatchObject({ code: 409, body: { reason: 'Conflict' } });
    const stale = { metadata: { resourceVersion: read.metadata.resourceVersion } };
    expect((await send(server, corednsPath, { ...merge, body: stale })).code).toBe(409);
    const test = [{ op: 'test', path: '/metadata/resourceVersion', value: read.metadata.resourceVersion }];
    expect((await send(server, corednsPath, { ...jsonPatch, body: test })).code).toBe(422);
  });

  test('an object is made once, and with the name that the path says', async () => {
    const { server } = await startDnsCluster({ tokens });
    const post = { method: 'POST', body: configMap('new', { a: 'b' }) };
    expect(await send(server, configMapsPath, post)).toMatchObject({ code: 201 });
    expect(await send(server, configMapsPath, post)).toMatchObject({
      code: 409,
      body: { reason: 'AlreadyExists' },
    });
    const renamed = { ...merge, body: { metadata: { name: 'other' } } };
    expect((await send(server, `${configMapsPath}/new`, renamed)).code).toBe(422);
    const unknown = { ...merge, type: 'application/strategic-merge-patch+json', body: {} };
    expect((await send(server, `${configMapsPath}/new`, unknown)).code).toBe(415);
  });
});

describe('server-side apply', () => {
  const path = `${configMapsPath}/shared`;
  const as = (manager: string, data: Readonly<Record<string, string>>, query = '') =>
    [`${path}?fieldManager=${manager}${query}`, { ...apply, body: configMap('shared', data) }] as const;

  test('each manager has his fields, and takes back what he no longer says', async () => {
    const { server } = await startDnsCluster({ tokens });
    expect((await send(server, ...as('one', { a: '1', b: '1' }))).code).toBe(201);
    expect((await send(server, ...as('two', { b: '1', c: '2' }))).code).toBe(200);
    expect((await send(server, ...as('one', {}))).body.data).toEqual({ b: '1', c: '2' });
    expect((await send(server, ...as('two', { c: '2' }))).body.data).toEqual({ c: '2' });
  });

  test('of another one it is a conflict, with force it is taken over', async () => {
    const { server } = await startDnsCluster({ tokens });
    await send(server, ...as('one', { a: '1' }));
    expect(await send(server, ...as('two', { a: '2' }))).toMatchObject({
      code: 409,
      body: { message: 'Apply failed with 1 conflict: conflict with "one" using v1: .data.a' },
    });
    expect((await send(server, ...as('two', { a: '2' }, '&force=true'))).body.data).toEqual({ a: '2' });
    expect((await send(server, ...as('one', { a: '1' }))).code).toBe(409);
  });

  test('a patch makes its sender the manager', async () => {
    const { server } = await startDnsCluster({ tokens });
    await send(server, ...as('one', { a: '1' }));
    await send(server, `${path}?fieldManager=kubectl`, { ...merge, body: { data: { a: '2' } } });
    expect((await send(server, ...as('one', { a: '1' }))).body.message).toContain('conflict with "kubectl"');
  });

  test('without a manager it is refused', async () => {
    const { server } = await startDnsCluster({ tokens });
    expect((await send(server, path, { ...apply, body: configMap('shared', {}) })).code).toBe(422);
  });
});

describe('watches', () => {
  /** What comes line by line, for as long as the test lives. */
  async function watch(server: ApiServer, path: string) {
    const response = await open(server, path, {});
    const seen: string[] = [];
    let rest = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { type, object } = JSON.parse(line);
        seen.push(`${type} ${object.metadata.name ?? ''}`.trim());
      }
    });
    onTestFinished(() => void response.destroy());
    return seen;
  }

  test('tell what changes after the list, in this collection, with these labels', async () => {
    const { server, state } = await startDnsCluster({ tokens });
    const { body } = await send(server, '/api/v1/namespaces/kube-system/pods');
    const since = body.metadata.resourceVersion;
    const early = state.get('/api/v1/namespaces/kube-system/pods/a');
    if (early === undefined) throw new Error('no pod');
    state.put({ ...early, status: { phase: 'Failed' } });
    const seen = await watch(
      server,
      `/api/v1/namespaces/kube-system/pods?watch=true&resourceVersion=${since}&labelSelector=k8s-app%3Dkube-dns`,
    );
    state.put({ ...early, metadata: { ...early.metadata, name: 'd', namespace: 'default' } });
    state.put({ ...early, metadata: { ...early.metadata, name: 'e' } });
    state.remove('/api/v1/namespaces/kube-system/pods/a');
    state.remove('/api/v1/namespaces/kube-system/pods/b');
    await expect.poll(() => seen).toEqual(['MODIFIED a', 'ADDED e', 'DELETED a']);
  });

  test('begin with all there is, when no version is named or that is asked for', async () => {
    const { server } = await startDnsCluster({ tokens });
    const all = ['ADDED c', 'ADDED a', 'ADDED b'];
    const [plain, marked] = [
      await watch(server, '/api/v1/pods?watch=1'),
      await watch(server, '/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'),
    ];
    await expect.poll(() => plain).toEqual(all);
    await expect.poll(() => marked).toEqual([...all, 'BOOKMARK']);
  });

  test('end when their time is over', async () => {
    const { server } = await startDnsCluster({ tokens });
    const response = await open(server, '/api/v1/pods?watch=1&timeoutSeconds=1', {});
    await expect(Array.fromAsync(response)).resolves.toHaveLength(1);
  });
});

test('the users of a node have the rights that k3s gives them', async () => {
  const { kubeconfig } = await startDnsCluster({ may: nodeAuthorizer });
  const statusOf = async (user: string, path: string) => {
    const answer = await ask(await kubeconfig(user), path);
    return answer.kind === 'ok' ? 200 : answer.status;
  };
  expect(await statusOf('system:kube-proxy', '/api/v1/services')).toBe(200);
  expect(await statusOf('system:kube-proxy', '/apis/discovery.k8s.io/v1/endpointslices')).toBe(200);
  expect(await statusOf('system:kube-proxy', corednsPath)).toBe(403);
  expect(await statusOf('system:node:a', deploymentPath)).toBe(403);
  expect(await statusOf('system:admin', corednsPath)).toBe(200);
});

test('a fault happens to the requests that are meant, so often as was said', async () => {
  const { server } = await startDnsCluster({ tokens });
  server.setFault('503', { verbs: ['get'], path: 'configmaps', times: 2 });
  const codes = [];
  for (const path of [configMapsPath, deploymentPath, corednsPath, corednsPath, corednsPath]) {
    codes.push((await send(server, path)).code);
  }
  expect(codes).toEqual([200, 200, 503, 503, 200]);
});
