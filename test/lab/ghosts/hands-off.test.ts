/** Where something is not known, or is somebody else's, nothing is changed; and the report says why. */
import { describe, expect, it } from 'vitest';
import { identifyPod } from '../node/add-pod.ts';
import type { LabNode } from '../node/start-node.ts';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { haunt, startHauntedNode, startPeopledNode } from './haunted-node.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { noteCalls, wrapTool } from './wrap-tool.ts';

const dead = identifyPod({ name: 'dead', address: '10.42.0.5' });
const hostPorts = [{ hostPort: 80, containerPort: 8080 }];

describe("somebody else's rule that refers to a ghost", () => {
  it('keeps that table as it is and is named, the other tables are repaired, and problems remain', async () => {
    await using node = await startHauntedNode();
    const rule = '-A PREROUTING -p tcp -m tcp --dport 8443 -j KUBE-MARK-MASQ';
    await node.restore('legacy', 'ipv4', `*nat\n${rule}\nCOMMIT\n`, { noFlush: true });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(1);
    const kept = fix.findings.flatMap(({ remedy }) => (remedy.kind === 'none' ? [remedy.reason] : []));
    expect(kept).toEqual(Array(2).fill(expect.stringContaining(rule)));
    const after = await node.snapshot();
    expect(tableOf(after.legacyIpv4, 'nat')).toBe(tableOf(before.legacyIpv4, 'nat'));
    expect(tableOf(after.legacyIpv4, 'filter')).not.toContain('KUBE-');
    expect(after.nftRuleset).toBe(before.nftRuleset);

    const again = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
    expect(again).toMatchObject({ exitCode: 1, report: { plan: [] } });
    expectUnchanged(after, await node.snapshot());
  });

  it('keeps the table too when it sits inside a chain that would go', async () => {
    await using node = await startHauntedNode();
    const rule = '-A KUBE-SERVICES -s 192.0.2.7/32 -j ACCEPT';
    await node.restore('legacy', 'ipv4', `*nat\n${rule}\nCOMMIT\n`, { noFlush: true });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(1);
    expect(JSON.stringify(fix.findings)).toContain(rule);
    expect(tableOf((await node.snapshot()).legacyIpv4, 'nat')).toBe(tableOf(before.legacyIpv4, 'nat'));
  });
});

describe("kubelet's mark", () => {
  it('in both backends, or in neither while k3s runs, leaves everything as it is', async () => {
    await using node = await startHauntedNode();
    const k3s = await node.fakeProcess('k3s-server', ['server']);
    const mark = (line: string) => `*mangle\n:KUBE-IPTABLES-HINT - [0:0]\n${line}COMMIT\n`;
    await node.restore('legacy', 'ipv4', mark(''), { noFlush: true });
    await expectHandsOff(node, /in both backends/);

    for (const backend of ['legacy', 'nft'] as const) {
      await node.restore(backend, 'ipv4', mark('-X KUBE-IPTABLES-HINT\n'), { noFlush: true });
    }
    await expectHandsOff(node, /in neither backend/);
    await k3s.stop();
    await expectHandsOff(node, /no kubelet runs/);
  });

  it('contradicted by where kube-proxy writes leaves everything as it is', async () => {
    await using node = await startHauntedNode();
    const nat = tableOf(await node.dump('nft', 'ipv4'), 'nat');
    await node.restore('nft', 'ipv4', nat.replace(/^.*KUBE.*\n/gm, ''));
    expect(await node.dump('nft', 'ipv4')).toContain('KUBE-IPTABLES-HINT');

    await expectHandsOff(node, /kube-proxy's only rules are in iptables-legacy/);
  });
});

describe('host ports, when the container runtime', () => {
  it.each([
    ['fails', { fails: 'connection refused' }, /crictl failed with exit code 1: connection refused/],
    ['hangs', 'hangs', /crictl did not answer within 1 s/],
  ] as const)('%s, are left alone; the rest is repaired', async (_, answer, reason) => {
    await using node = await startPeopledNode();
    await node.fakeCrictl(answer);
    await expectOnlyHostPortsKept(node, { reason });
  });

  it.each([
    ['says something else than JSON', 'echo "FATA[0000] unknown service"', /crictl's answer cannot be read/],
    ['says nothing', ':', /crictl's answer cannot be read/],
    ['lists something else than pods', `echo '{"pods": []}'`, /crictl's answer cannot be read/],
    ['is not there', undefined, /there is no crictl \(looked for \/run\/lab\/none\)/],
  ])('%s, are left alone; the rest is repaired', async (_, script, reason) => {
    await using node = await startPeopledNode();
    const crictl = script === undefined ? '/run/lab/none' : await wrapTool(node, 'crictl', script);
    await expectOnlyHostPortsKept(node, { reason, crictl });
  });

  it('lists their sandbox as not ready while its address is still reserved, are left alone', async () => {
    await using node = await startPeopledNode();
    await node.fakeCrictl([...node.pods, { ...dead, state: 'SANDBOX_NOTREADY' }]);
    await node.writeFile('/var/lib/cni/networks/cbr0/10.42.0.5', `${dead.sandboxId}\r\neth0`);
    await expectOnlyHostPortsKept(node, { reason: /still holds an address/ });

    await node.run(['rm', '/var/lib/cni/networks/cbr0/10.42.0.5']);
    expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
    expect(await node.dump('legacy', 'ipv4')).not.toContain(dead.sandboxId);
  });

  async function expectOnlyHostPortsKept(
    node: LabNode,
    { reason, crictl = '/run/lab/crictl' }: { reason: RegExp; crictl?: string },
  ): Promise<void> {
    await configure(node, { commands: { crictl }, commandTimeoutMs: 1000 });
    await haunt(node);
    await node.cni('legacy', 'ADD', { pod: dead, hostPorts });
    const before = await node.snapshot();
    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
    expect(fix.reasons.join()).toMatch(reason);
    expect(fix.exitCode).toBe(2);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  }
});

describe('a backend that is not there', () => {
  it('is a fact: without legacy tables nothing is found, and its programs are never run', async () => {
    await using node = await startPeopledNode();
    await haunt(node);
    await using bare = await startPeopledNode();
    const noted = await noteCalls(bare, bare.crictl);
    await configure(bare, { commands: noted.commands });
    await bare.restore('nft', 'ipv4', await node.dump('nft', 'ipv4'));

    const fix = await runDoctor(bare, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
    expect(fix.report.checks[0]?.notes).toContain('legacy ipv4: absent, no legacy table is registered');
    expect((await noted.calls()).filter((call) => call.includes('legacy'))).toEqual([]);
    expect(await bare.snapshot()).toMatchObject({ legacyTables: [], legacyTables6: [] });
  });

  it('is a fact, too, when its program says so with exit code 3', async () => {
    await using node = await startHauntedNode();
    const refusal = `echo "can't initialize iptables table: Table does not exist" >&2; exit 3`;
    const commands = {
      crictl: node.crictl,
      'iptables-legacy-save': await wrapTool(node, 'iptables-legacy-save', refusal),
    };
    await configure(node, { commands });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
    expect(fix.report.checks[0]?.notes).toContain('legacy ipv4: absent, the kernel does not support it');
    expectUnchanged(before, await node.snapshot());
  });

  it('but has registered tables is unknown, when no program can list them', async () => {
    await using node = await startHauntedNode();
    await configure(node, { commands: { crictl: node.crictl, 'iptables-legacy-save': '/run/lab/none' } });
    await expectHandsOff(node, /legacy tables are registered .* no program here can list them/);
  });
});

describe('a missing conntrack program', () => {
  it('leaves open which nat table comes first, and old connections to expire; the ghosts go all the same', async () => {
    await using node = await startHauntedNode();
    await configure(node, { commands: { crictl: node.crictl, conntrack: '/run/lab/none' } });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, findings: [{ effect: 'may-mask' }, {}, {}, {}] });
    expect(fix.report.fix?.notes.join()).toContain('stale connections were left to expire');
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  });
});

describe('a dump', () => {
  it.each([
    [
      'that cannot be read',
      'echo "*nat"; echo "what is this"; echo COMMIT',
      /line 2 cannot be read: .*what is this/,
    ],
    ['that ends too early', 'real "$@" | head -n 20', /cannot be read/],
    ['that does not come', 'exec sleep infinity', /did not end within 1 s and was killed/],
    ['that fails', 'echo "no memory" >&2; exit 1', /failed with exit code 1: no memory/],
  ])('%s changes nothing and is explained', async (_, script, reason) => {
    await using node = await startHauntedNode();
    const save = await wrapTool(node, 'iptables-legacy-save', script);
    await configure(node, {
      commands: { crictl: node.crictl, 'iptables-legacy-save': save },
      commandTimeoutMs: 1000,
    });
    await expectHandsOff(node, reason);
  });
});

async function expectHandsOff(node: LabNode, reason: RegExp): Promise<void> {
  const before = await node.snapshot();
  const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
  expect(fix.reasons.join()).toMatch(reason);
  expect(fix).toMatchObject({ exitCode: 2, findings: [], report: { plan: [] } });
  expectUnchanged(before, await node.snapshot());
}

/** One table of a dump, from `*name` to its `COMMIT`. */
function tableOf(dump: string, name: string): string {
  return new RegExp(`^\\*${name}\\n[^]*?^COMMIT\\n`, 'm').exec(dump)?.[0] ?? '';
}
