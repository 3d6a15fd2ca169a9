/** flannel-vtep on two nodes with a real VXLAN: what cuts it is found, and mended where that is a fix's business. */
import { expect, test } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import type { LabNode } from '../node/start-node.ts';
import { nodeList } from '../overlay/node-objects.ts';
import { specOf } from '../overlay/overlay-member.ts';
import { type Overlay, startOverlay } from '../overlay/start-overlay.ts';

const reach = ({ first }: Overlay<LabNode>) => first.pod.http('10.42.2.5', 8080, { timeoutMs: 400 });

const check = (node: LabNode) => runDoctor(node, ['check', 'flannel-vtep']);
const fix = (node: LabNode) => runDoctor(node, ['fix', 'flannel-vtep', '--yes']);

test('an overlay that works is healthy, in both families', async () => {
  await using overlay = await startOverlay({ isDualStack: true });
  const { exitCode, report } = await check(overlay.first);
  expect(report.checks).toMatchObject([{ outcome: 'ok', reasons: [] }]);
  expect(exitCode).toBe(0);
  expect(report.checks[0]?.notes).toContain('ping 10.42.2.0 over the overlay: answered');
  expect(report.checks[0]?.notes).toContain('ping fd00:42:0:2:: over the overlay: answered');
});

test.each([
  [
    'a stale FDB entry',
    ['bridge', 'fdb', 'replace', '0e:00:00:00:00:02', 'dev', 'flannel.1', 'dst', '192.168.60.99'],
  ],
  ['a lost neighbour', ['ip', 'neigh', 'del', '10.42.2.0', 'dev', 'flannel.1']],
])('%s is found and mended; the second run writes nothing; undo takes it back', async (_, damage) => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  await first.run(damage);
  expect(await reach(overlay)).toMatchObject({ ok: false });

  const found = await check(first);
  expect(found.exitCode).toBe(1);
  expect(found.findings).toMatchObject([{ code: 'vtep-stale-entry', remedy: { kind: 'planned' } }]);

  const fixed = await fix(first);
  expect(fixed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
  expect(await reach(overlay)).toMatchObject({ body: 'pod-2' });
  expect(await fix(first)).toMatchObject({
    exitCode: 0,
    report: { plan: [], fix: { outcome: 'nothing-to-do' } },
  });

  const undone = await runDoctor(first, ['undo', fixed.report.run.id, '--yes']);
  expect(undone).toMatchObject({ exitCode: 0 });
  expect(await reach(overlay)).toMatchObject({ ok: false });
});

test('a dry run shows the command, and changes nothing', async () => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  await first.run([
    'bridge',
    'fdb',
    'replace',
    '0e:00:00:00:00:02',
    'dev',
    'flannel.1',
    'dst',
    '192.168.60.99',
  ]);
  const dryRun = await runDoctor(first, ['fix', 'flannel-vtep', '--dry-run']);
  expect(dryRun.report.plan).toMatchObject([
    { command: 'bridge fdb replace 0e:00:00:00:00:02 dev flannel.1 dst 192.168.60.12', reversible: true },
  ]);
  expect(await first.run(['bridge', 'fdb', 'show', 'dev', 'flannel.1'])).toContain('192.168.60.99');
});

test('full packets that do not fit, and silence', async () => {
  await using overlay = await startOverlay();
  const { first, second } = overlay;
  await first.run(['ip', 'link', 'set', 'eth0', 'mtu', '1400']);
  const tooBig = await check(first);
  expect(tooBig.findings.map(({ code }) => code)).toContain('vtep-mtu');

  await first.run(['ip', 'link', 'set', 'eth0', 'mtu', '1500']);
  await second.run(['iptables-nft', '-I', 'INPUT', '-p', 'udp', '--dport', '8472', '-j', 'DROP']);
  const silent = await check(first);
  expect(silent.findings).toMatchObject([
    { code: 'vtep-silent', remedy: { kind: 'none', reason: expect.stringContaining('ufw-overlay') } },
  ]);
});

test('a tunnel address without a route, and one that this node does not have', async () => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  const nodes = JSON.parse(JSON.stringify(nodeList([specOf(1, false), specOf(2, false)])));
  nodes.items[1].metadata.annotations['flannel.alpha.coreos.com/public-ip'] = '172.31.39.213';
  await first.answer('/api/v1/nodes', nodes);
  await first.run([
    'bridge',
    'fdb',
    'replace',
    '0e:00:00:00:00:02',
    'dev',
    'flannel.1',
    'dst',
    '172.31.39.213',
  ]);
  const found = (message: string) => ({ code: 'vtep-unreachable', severity: 'error', message });
  await first.run(['ip', 'address', 'add', '203.0.113.10/24', 'dev', 'eth0']);
  const tunnel = 'the tunnel to node node-2 goes to 172.31.39.213';
  expect((await check(first)).findings).toMatchObject([
    found(`${tunnel}, a private address, over the public link eth0`),
  ]);
  await first.run(['ip', 'route', 'del', 'default']);
  expect((await check(first)).findings).toMatchObject([found(`${tunnel}, and there is no route to it`)]);

  nodes.items[1].metadata.annotations['flannel.alpha.coreos.com/public-ip'] = '192.168.60.12';
  nodes.items[0].metadata.annotations['flannel.alpha.coreos.com/public-ip'] = '192.0.2.1';
  await first.answer('/api/v1/nodes', nodes);
  expect((await fix(first)).report.fix).toMatchObject({ outcome: 'done' });
  expect((await check(first)).findings).toMatchObject([{ code: 'vtep-not-mine' }]);
});

test('checksum offload is switched off on an old kernel, and by udev from then on', async () => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  // The kernel here is a new one; only its name can be made old.
  await first.writeFile('/run/lab/osrelease', '5.4.0-150-generic\n');
  await first.run(['mount', '--bind', '/run/lab/osrelease', '/proc/sys/kernel/osrelease']);
  const offload = async () =>
    /tx-checksum-ip-generic: (\w+)/.exec(await first.run(['ethtool', '-k', 'flannel.1']))?.[1];
  expect(await offload()).toBe('on');
  expect((await check(first)).findings).toMatchObject([{ code: 'vtep-checksum-offload' }]);

  const fixed = await fix(first);
  expect(fixed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
  expect(await offload()).toBe('off');
  const rules = '/etc/udev/rules.d/90-k3s-doctor-flannel.1.rules';
  expect(await first.readFile(rules)).toContain('ethtool -K flannel.1 tx-checksum-ip-generic off');
  expect(await fix(first)).toMatchObject({ exitCode: 0, report: { plan: [] } });

  // Flannel makes its link anew, and udev does not run here.
  await first.run(['ethtool', '-K', 'flannel.1', 'tx-checksum-ip-generic', 'on']);
  expect((await fix(first)).report.fix).toMatchObject({ outcome: 'done' });
  expect(await offload()).toBe('off');

  expect(await runDoctor(first, ['undo', fixed.report.run.id, '--yes'])).toMatchObject({ exitCode: 0 });
  expect(await offload()).toBe('on');
});

test('without an API nobody knows where the others are, and nothing is changed', async () => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  await first.writeFile('/etc/rancher/k3s/k3s.yaml', '', '600');
  await first.run([
    'bridge',
    'fdb',
    'replace',
    '0e:00:00:00:00:02',
    'dev',
    'flannel.1',
    'dst',
    '192.168.60.99',
  ]);
  const { exitCode, reasons } = await fix(first);
  expect(exitCode).toBe(2);
  expect(reasons[0]).toMatch(/^the nodes of the cluster are not known: /);
  expect(await first.run(['bridge', 'fdb', 'show', 'dev', 'flannel.1'])).toContain('192.168.60.99');
});
