/** What real tools wrote on other days, loaded into this kernel. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type LabNode, startNode } from '../node/start-node.ts';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { restoreFixture } from './restore-fixture.ts';
import { runDoctor } from './run-doctor.ts';

/** kube-router's accept rules in built-in chains name no chain of its own. */
const leftovers = /^:KUBE-|^-A KUBE-|-j KUBE-|KUBE-ROUTER rule to explicitly ACCEPT/;

describe('what a real kube-proxy left behind', () => {
  it.each([
    'kube-proxy-legacy-then-nft',
    'kube-proxy-1.19-legacy-then-1.34-nft',
    'kube-proxy-1.22-legacy-then-1.34-nft',
    'kube-proxy-1.34-legacy-then-nftables-mode',
    'kube-proxy-1.36-nft-without-comments',
    'kube-proxy-and-kube-router-legacy-then-nft',
  ])('goes from legacy, and nothing else changes: %s', async (name) => {
    await using node = await startNode();
    await restoreFixture(node, name);
    await removeEarlierMark(node);
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    const after = await node.snapshot();
    expectOnlyGone(before, after, { backend: 'legacy', ghosts: leftovers });
    expect(await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).toMatchObject({
      exitCode: 0,
      report: { plan: [] },
    });
    expectUnchanged(after, await node.snapshot());
  });

  it('is judged by the live backend without an API, and by the EndpointSlices with one', async () => {
    await using node = await startNode();
    await restoreFixture(node, 'kube-proxy-legacy-then-nft');
    const without = await runDoctor(node, ['check', 'iptables-ghosts']);
    await startApiServer(node);

    const withApi = await runDoctor(node, [
      'check',
      'iptables-ghosts',
      '--kubeconfig',
      '/run/lab/kubeconfig',
    ]);

    expect(without.report.checks[0]?.limits.join('\n')).toContain('the API was not read');
    expect(withApi.report.checks[0]?.limits.join('\n')).not.toContain('the API was not read');
    for (const { findings } of [without, withApi]) {
      expect(findings).toContainEqual(
        expect.objectContaining({
          effect: 'dormant',
          traffic: expect.objectContaining({
            address: '10.43.0.80',
            sentTo: [
              { address: '10.42.0.5', port: 8080, state: 'dead' },
              { address: '10.42.0.6', port: 8080, state: 'dead' },
            ],
            live: [{ address: '10.42.0.9', port: 8080, backend: 'nft' }],
          }),
        }),
      );
    }
    const before = await node.snapshot();
    const fix = await runDoctor(node, [
      'fix',
      'iptables-ghosts',
      '--yes',
      '--kubeconfig',
      '/run/lab/kubeconfig',
    ]);
    expect(fix.exitCode).toBe(0);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy', ghosts: leftovers });
  });

  it.each(['k3s-ufw-reject-with-legacy-ghosts', 'kube-proxy-1.36-nft-without-comments'])(
    "is not touched when kubelet's mark is in both backends: %s",
    async (name) => {
      await using node = await startNode();
      await restoreFixture(node, name);
      const before = await node.snapshot();

      const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

      expect(fix).toMatchObject({ exitCode: 2, findings: [], report: { plan: [] } });
      expect(fix.reasons.join()).toContain('in both backends');
      expectUnchanged(before, await node.snapshot());
    },
  );
});

describe('what the real portmap plugin left behind', () => {
  it.each([
    ['hostport-ghost-legacy-first/2-ghost', 'legacy', 'dormant', 'CNI-DN-ee38aa4d9699bb275365c'],
    ['hostport-ghost-nft-first/2-ghost', 'nft', 'masks', 'CNI-DN-ee38aa4d9699bb275365c'],
    ['portmap-hostport-lifecycle/1-after-add', 'legacy', 'captures', 'CNI-DN-3461354f5ab9facfdc5ae'],
  ] as const)('goes, down to the chains that portmap keeps: %s', async (name, first, effect, chain) => {
    await using node = await startNode();
    await restoreFixture(node, name, { first });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.findings).toMatchObject([{ code: 'ghost-host-port', effect }]);
    expect(fix.exitCode).toBe(0);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy', ghosts: new RegExp(chain) });
  });

  it.each([
    'hostport-ghost-legacy-first/1-old-alive',
    'hostport-ghost-legacy-first/3-healed',
    'hostport-ghost-nft-first/1-old-alive',
    'hostport-ghost-nft-first/3-healed',
    'portmap-hostport-lifecycle/0-empty',
    'portmap-hostport-lifecycle/2-after-del',
  ])('is no ghost while its pod runs, or when it was deleted as it should: %s', async (name) => {
    await using node = await startNode();
    await restoreFixture(node, name);
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
    expectUnchanged(before, await node.snapshot());
  });
});

/** On some of these nodes kubelet ran on both backends, one after the other. */
async function removeEarlierMark(node: LabNode): Promise<void> {
  const marks = ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY'];
  const batch = [...marks.map((mark) => `:${mark} - [0:0]`), ...marks.map((mark) => `-X ${mark}`)];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const tables = (await node.snapshot())[family === 'ipv4' ? 'legacyTables' : 'legacyTables6'];
    if (!tables.includes('mangle')) continue;
    await node.restore('legacy', family, `*mangle\n${batch.join('\n')}\nCOMMIT\n`, { noFlush: true });
  }
}

/** The API server as it was when kube-proxy-legacy-then-nft was recorded, on the node itself. */
async function startApiServer(node: LabNode): Promise<void> {
  const slices = '/run/lab/api/apis/discovery.k8s.io/v1/endpointslices.json';
  const recorded = new URL(
    '../../../fixtures/kube-proxy-legacy-then-nft/endpointslices.json',
    import.meta.url,
  );
  await node.writeFile(slices, readFileSync(recorded, 'utf8'));
  const server = node.start([
    ...[process.execPath, fileURLToPath(new URL('../api-server/main.ts', import.meta.url))],
    ...['--listen', '127.0.0.1:6443', '--data', '/run/lab/api', '--kubeconfig', '/run/lab/kubeconfig'],
  ]);
  await server.waitForLine('listening');
}
