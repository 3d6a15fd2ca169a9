import { describe, expect, test } from 'vitest';
import { watchReload } from '../../../src/engine/conditions/coredns-reloaded.ts';
import type { CoreDnsBefore } from '../../../src/engine/step.ts';
import type { Host, KubeResult } from '../../../src/host/host.ts';
import { liveNode } from '../steps/live-node.ts';

const pods = '/api/v1/namespaces/kube-system/pods';

interface Pod {
  readonly name: string;
  readonly address?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly isGoing?: boolean;
  readonly container?: string;
}

/** Port 9153 is not ours to listen on here: pages and pods are made up, as CoreDNS 1.12.3 and k3s have them. */
class World {
  readonly pages = new Map<string, string>();
  readonly pods = new Map<string, Pod>();
  canList = true;
  readonly host: Host = {
    ...liveNode().host,
    httpGet: async (url) => {
      const body = this.pages.get(/^http:\/\/\[?(.+?)\]?(?::9153)?\/metrics$/.exec(url)?.[1] ?? '');
      return body === undefined ? { kind: 'unavailable', reason: 'refused' } : { kind: 'ok', body };
    },
    kubeGet: async (path) => this.#get(path),
  };

  /** A pod that runs, and what it tells. */
  run(name: string, address: string, { hash, failed = 0 }: { hash?: string; failed?: number } = {}): void {
    this.pods.set(name, { name, address });
    this.pages.set(address, page(hash, failed));
  }

  remove(name: string): void {
    const address = this.pods.get(name)?.address;
    this.pods.delete(name);
    if (address !== undefined) this.pages.delete(address);
  }

  #get(path: string): KubeResult {
    if (!this.canList) return { kind: 'unavailable', reason: 'no answer' };
    const [where, query] = path.split('?');
    if (query !== undefined) {
      expect([where, decodeURIComponent(query)]).toEqual([pods, 'labelSelector=k8s-app=kube-dns']);
      return ok({ items: [...this.pods.values()].map(podObject) });
    }
    const pod = this.pods.get(path.slice(pods.length + 1));
    return pod ? ok(podObject(pod)) : { kind: 'unavailable', reason: 'not there', status: 404 };
  }
}

function ok(body: object): KubeResult {
  return { kind: 'ok', body: JSON.stringify(body), source: '' };
}

function podObject({
  name,
  address,
  phase = 'Running',
  ready = phase === 'Running',
  isGoing,
  container,
}: Pod) {
  const containerStatuses = container ? [{ name: 'coredns', containerID: `containerd://${container}` }] : [];
  return {
    metadata: { name, ...(isGoing && { deletionTimestamp: '2026-11-21T12:00:00Z' }) },
    status: {
      phase,
      podIP: address,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses,
    },
  };
}

function page(hash: string | undefined, failed: number): string {
  return [
    '# TYPE coredns_reload_failed_total counter',
    `coredns_reload_failed_total ${failed}`,
    ...(hash === undefined ? [] : [`coredns_reload_version_info{hash="sha512",value="${hash}"} 1`]),
    '',
  ].join('\n');
}

const before: CoreDnsBefore = { name: 'coredns-1', address: '10.42.0.5', hashWas: 'old', failedWas: 2 };

function worldWith(hash = 'old', failed = 2) {
  const world = new World();
  world.run('coredns-1', '10.42.0.5', { hash, failed });
  return { world, look: watchReload([before], world.host) };
}

describe('a pod that stays', () => {
  test('has reloaded when it tells another hash', async () => {
    const { world, look } = worldWith();
    expect(await look()).toEqual({
      kind: 'not-yet',
      seen: 'pod coredns-1 still runs the configuration of before',
    });
    world.run('coredns-1', '10.42.0.5', { hash: 'new', failed: 2 });
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('has reloaded when it tells a hash for the first time', async () => {
    const { world } = worldWith();
    const look = watchReload([{ ...before, hashWas: '' }], world.host);
    world.run('coredns-1', '10.42.0.5', { failed: 2 });
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.run('coredns-1', '10.42.0.5', { hash: 'new', failed: 2 });
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('tells no hash while it reloads, which means nothing', async () => {
    const { world, look } = worldWith();
    world.run('coredns-1', '10.42.0.5', { failed: 2 });
    expect(await look()).toMatchObject({ kind: 'not-yet' });
  });

  test('that could not load it tells the new hash all the same: waiting is of no use', async () => {
    const { look } = worldWith('new', 3);
    expect(await look()).toEqual({
      kind: 'never',
      seen: 'pod coredns-1 could not load the new configuration and goes on with the old one (coredns_reload_failed_total was 2 and is 3)',
    });
  });

  test('is waited for while nobody can say whether it is still that pod which failed', async () => {
    const { world, look } = worldWith('new', 3);
    world.canList = false;
    expect(await look()).toMatchObject({ kind: 'not-yet', seen: expect.stringContaining('could not load') });
  });

  test('is waited for while it cannot be asked, or somebody else answers', async () => {
    const { world, look } = worldWith();
    world.pages.clear();
    expect(await look()).toEqual({ kind: 'not-yet', seen: 'pod coredns-1: its metrics: refused' });
    world.canList = false;
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.pages.set('10.42.0.5', 'up 1\n');
    expect(await look()).toMatchObject({ seen: expect.stringContaining('do not speak of reloading') });
  });

  test('is asked at an IPv6 address, too', async () => {
    const world = new World();
    world.run('coredns-1', 'fd00:42::5', { hash: 'new', failed: 2 });
    expect(await watchReload([{ ...before, address: 'fd00:42::5' }], world.host)()).toEqual({
      kind: 'holds',
    });
  });

  test('has read it when its container was started anew, and never tells a hash', async () => {
    const { world } = worldWith();
    const look = watchReload([{ ...before, containerWas: 'one' }], world.host);
    const pod = { name: 'coredns-1', address: '10.42.0.5' };
    world.pages.set('10.42.0.5', page(undefined, 0));
    world.pods.set('coredns-1', { ...pod, container: 'one' });
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.pods.set('coredns-1', { ...pod, container: 'two', ready: false });
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.pods.set('coredns-1', { ...pod, container: 'two' });
    expect(await look()).toEqual({ kind: 'holds' });
    world.pages.set('10.42.0.5', page(undefined, 1));
    expect(await look()).toMatchObject({ kind: 'never' });
  });

  test('is asked at another port, too, as is its successor', async () => {
    const world = new World();
    world.run('coredns-1', '10.42.0.5:9253', { hash: 'old' });
    const look = watchReload([{ ...before, failedWas: 0, metricsPort: 9253 }], world.host);
    expect(await look()).toMatchObject({ kind: 'not-yet', seen: expect.stringContaining('still runs') });
    world.run('coredns-1', '10.42.0.5:9253', { hash: 'new' });
    expect(await look()).toEqual({ kind: 'holds' });
    world.remove('coredns-1');
    world.run('coredns-9', '10.42.0.9');
    world.pages.set('10.42.0.9:9253', page(undefined, 0));
    world.pages.delete('10.42.0.9');
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('does not hide another one that has not', async () => {
    const { world } = worldWith('new');
    world.run('coredns-2', '10.42.0.6', { hash: 'old' });
    const second = { ...before, name: 'coredns-2', address: '10.42.0.6', failedWas: 0 };
    expect(await watchReload([before, second], world.host)()).toMatchObject({
      kind: 'not-yet',
      seen: expect.stringContaining('coredns-2'),
    });
  });
});

describe('a pod that goes', () => {
  test('is succeeded by one that begins with the new configuration, and never tells a hash', async () => {
    const { world, look } = worldWith();
    await look();
    world.remove('coredns-1');
    expect(await look()).toEqual({ kind: 'not-yet', seen: 'pod coredns-1 is gone, and no other is ready' });
    world.pods.set('coredns-9', { name: 'coredns-9', phase: 'Pending' });
    expect(await look()).toMatchObject({ seen: expect.stringContaining('pod coredns-9 is Pending') });
    world.run('coredns-9', '10.42.0.9');
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('is gone while it is being deleted, whatever it still tells', async () => {
    const { world, look } = worldWith();
    await look();
    world.pods.set('coredns-1', { name: 'coredns-1', address: '10.42.0.5', isGoing: true });
    world.run('coredns-9', '10.42.0.9');
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('and whose successor cannot load the new one: waiting is of no use', async () => {
    const { world, look } = worldWith();
    await look();
    world.remove('coredns-1');
    world.run('coredns-9', '10.42.0.9', { failed: 1, hash: 'new' });
    expect(await look()).toMatchObject({ kind: 'never', seen: expect.stringContaining('coredns-9') });
  });

  test('was gone before: whoever ran already has the old configuration until he tells another hash', async () => {
    const { world, look } = worldWith();
    world.remove('coredns-1');
    world.run('coredns-5', '10.42.0.8');
    expect(await look()).toEqual({
      kind: 'not-yet',
      seen: 'pod coredns-5 still runs the configuration of before',
    });
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.run('coredns-5', '10.42.0.8', { hash: 'new' });
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('is not succeeded by one of two alone', async () => {
    const { world, look } = worldWith();
    world.run('coredns-5', '10.42.0.8', { hash: 'old' });
    await look();
    world.remove('coredns-1');
    world.run('coredns-9', '10.42.0.9');
    expect(await look()).toMatchObject({ seen: expect.stringContaining('coredns-5') });
  });

  test('and whose address is somebody else’s now', async () => {
    const { world, look } = worldWith();
    await look();
    world.remove('coredns-1');
    world.run('coredns-9', '10.42.0.5', { failed: 0 });
    expect(await look()).toEqual({ kind: 'holds' });
  });

  test('is waited for while the others cannot be asked for', async () => {
    const { world, look } = worldWith();
    world.remove('coredns-1');
    world.canList = false;
    expect(await look()).toMatchObject({ kind: 'not-yet' });
    world.canList = true;
    world.run('coredns-9', '10.42.0.9');
    // The first time that they could be asked for: whether it had begun before cannot be told.
    expect(await look()).toMatchObject({ kind: 'not-yet' });
  });
});
