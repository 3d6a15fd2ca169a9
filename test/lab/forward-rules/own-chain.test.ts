/** What stops pods where no UFW is in charge: opened by a chain of our own, right ahead of what is in the way. */
import { describe, expect, it } from 'vitest';
import { configure, runDoctor } from '../ghosts/run-doctor.ts';
import { noteCalls, wrapTool } from '../ghosts/wrap-tool.ts';
import type { LabNode } from '../node/start-node.ts';
import type { OverlayNode } from '../overlay/settle-node.ts';
import { startOverlay } from '../overlay/start-overlay.ts';
import { addFlannelRules } from './flannel-rules.ts';
import { allPasses, podTraffic } from './pod-traffic.ts';

const fix = (node: LabNode) => runDoctor(node, ['fix', 'forward-rules', '--yes']);
const check = (node: LabNode) => runDoctor(node, ['check', 'forward-rules']);
const rules = (node: LabNode, script: string) => node.run(['sh', '-ec', script]);

/** An UFW of the days before the switch to nft: empty in its files, and still in legacy. */
const oldUfw = `
for chain in before after reject track; do iptables-legacy -N ufw-$chain-forward; done
for chain in before after reject track; do iptables-legacy -A FORWARD -j ufw-$chain-forward; done
iptables-legacy -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-legacy -A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
iptables-legacy -P FORWARD DROP
`;

const docker = `
iptables -N DOCKER; iptables -N DOCKER-USER; iptables -N DOCKER-ISOLATION-STAGE-1
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1
iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
iptables -P FORWARD DROP
`;

/** As images of some clouds come with it. */
const rejectAll = `
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A FORWARD -s 192.0.2.0/24 -j ACCEPT
iptables -A FORWARD -p tcp -m limit --limit 3/min -j LOG
iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited
`;

describe.each([
  ['a DROP policy that an old UFW left in legacy', oldUfw, 'legacy', /policy that UFW has left there/],
  ["Docker's DROP policy", docker, 'nft', /: Docker's policy$/],
  ['a rule that rejects everything', rejectAll, 'nft', /rejected by rule 4 of FORWARD, iptables-nft filter$/],
] as const)('%s', (_, script, backend, message) => {
  it('is named, overcome for pods alone, and gone again with an undo', async () => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, script);
    await addFlannelRulesBehind(node);
    const before = await node.snapshot();
    expect((await podTraffic(overlay)).tcp).toBe(false);
    const found = await check(node);
    expect(found.exitCode).toBe(1);
    expect(found.findings).toMatchObject([
      { message: expect.stringMatching(message), remedy: { kind: 'planned' } },
    ]);
    expect(await node.snapshot()).toEqual({ ...before, conntrack: expect.anything() });

    const { exitCode, report } = await fix(node);

    expect(exitCode).toBe(0);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    const after = await node.snapshot();
    const changed = backend === 'legacy' ? 'legacyIpv4' : 'nftIpv4';
    expect(linesBeyond(before[changed], after[changed])).toEqual([
      ':K3S-DOCTOR-FORWARD -',
      '-A FORWARD -m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD',
      '-A K3S-DOCTOR-FORWARD -s 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT',
      '-A K3S-DOCTOR-FORWARD -d 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT',
    ]);
    expect(linesBeyond(after[changed], before[changed])).toEqual([]);
    const noted = await noteCalls(node, node.crictl);
    await configure(node, { commands: noted.commands });
    expect(await fix(node)).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
    expect((await noted.calls()).filter((call) => /restore|ufw|firewall-cmd/.test(call))).toEqual([]);
    expect(await node.snapshot()).toEqual({ ...after, conntrack: expect.anything() });

    await runDoctor(node, ['undo', report.run.id, '--yes']);
    expect(await node.snapshot()).toEqual({ ...before, conntrack: expect.anything() });
  });
});

describe('our chain', () => {
  it('stands behind the network policies, which go on to hold', async () => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, rejectAll);
    await rules(node, networkPolicy);

    expect((await fix(node)).exitCode).toBe(0);

    expect(await overlay.second.pod.http('10.42.1.5', 8080, { timeoutMs: 300 })).toMatchObject({ ok: false });
    expect(await overlay.second.pod.udp('10.42.1.5', 5353)).toMatchObject({ ok: true });
    expect(await node.pod.http('10.42.2.5', 8080)).toMatchObject({ ok: true });
    expect((await check(node)).exitCode).toBe(0);
  });

  it('comes back when it is emptied, when its jump is gone, and when somebody rejects ahead of it', async () => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, rejectAll);
    await fix(node);
    const healthy = await node.dump('nft', 'ipv4');
    for (const harm of [
      'iptables -F K3S-DOCTOR-FORWARD',
      'iptables -D K3S-DOCTOR-FORWARD 1',
      'iptables -D FORWARD -m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD',
      'iptables -I FORWARD 2 -j REJECT',
    ]) {
      await rules(node, harm);
      expect((await check(node)).exitCode, harm).toBe(1);
      expect((await fix(node)).exitCode, harm).toBe(0);
      expect(await podTraffic(overlay), harm).toEqual(allPasses);
    }
    const again = await node.dump('nft', 'ipv4');
    expect(again.match(/K3S-DOCTOR/g)).toHaveLength(healthy.match(/K3S-DOCTOR/g)?.length ?? 0);
  });

  it('survives a whole-table rewrite that was under way when it was written', async () => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, rejectAll);
    // As the network policy controller does: saves, thinks, restores everything.
    const rewriting = `
case "$*" in *--noflush*) command iptables-nft-save -t filter >/run/lab/saved;; esac
input=$(cat)
printf '%s\\n' "$input" | real "$@"; code=$?
[ -e /run/lab/rewritten ] || { touch /run/lab/rewritten; command iptables-nft-restore -T filter </run/lab/saved; }
exit $code`;
    const restore = await wrapTool(node, 'iptables-nft-restore', rewriting);
    await configure(node, { commands: { crictl: node.crictl, 'iptables-nft-restore': restore } });

    expect(await fix(node)).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });

    expect((await node.exec(['ls', '/run/lab/rewritten'])).exitCode).toBe(0);
    expect(await podTraffic(overlay)).toEqual(allPasses);
  });

  it('is taken back as a whole when the second backend cannot be written', async () => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, `${oldUfw}${rejectAll}`);
    const before = await node.snapshot();
    const restore = await wrapTool(node, 'iptables-nft-restore', 'exit 1');
    await configure(node, { commands: { crictl: node.crictl, 'iptables-nft-restore': restore } });

    expect(await fix(node)).toMatchObject({ exitCode: 3, report: { fix: { outcome: 'failed' } } });

    expect(await node.snapshot()).toEqual({ ...before, conntrack: expect.anything() });
  });

  it('is made for each family that needs it', async () => {
    await using overlay = await startOverlay({ isDualStack: true });
    const { first: node } = overlay;
    await rules(node, `${rejectAll}ip6tables-legacy -P FORWARD DROP`);

    const { findings, exitCode } = await fix(node);

    expect(exitCode).toBe(0);
    expect(findings.map(({ subject }) => subject)).toEqual([
      'iptables-nft filter -A FORWARD -j REJECT --reject-with icmp-host-prohibited',
      'ip6tables-legacy filter FORWARD policy',
    ]);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    expect(await node.dump('legacy', 'ipv6')).toContain('-A K3S-DOCTOR-FORWARD -s fd00:42::/56');
  });
});

describe('what a machine should not overrule', () => {
  it.each([
    [
      "a rule about just these packets, which is somebody's word",
      'iptables -A FORWARD -s 10.42.1.0/24 -d 10.42.0.0/16 -j DROP',
      /about just these packets.*iptables-nft -I FORWARD 1 -s 10\.42\.0\.0\/16 -j ACCEPT/,
    ],
    [
      "the operator's own rule beside Docker's",
      'iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j DROP',
      /iptables -I DOCKER-USER -s 10\.42\.0\.0\/16 -j ACCEPT/,
    ],
    [
      'a table of its own',
      'nft add table inet mine; nft add chain inet mine f "{ type filter hook forward priority 0; policy drop; }"',
      /nft insert rule inet mine f ip saddr 10\.42\.0\.0\/16 accept/,
    ],
    ['a rule in mangle', 'iptables -t mangle -A FORWARD -j DROP', /in table mangle/],
    [
      'forwarding that is switched off',
      'echo 0 >/proc/sys/net/ipv4/ip_forward',
      /sysctl -w net\.ipv4\.ip_forward=1/,
    ],
  ])('%s: it is explained, with what to type', async (_, script, reason) => {
    await using overlay = await startOverlay();
    const { first: node } = overlay;
    await rules(node, script);
    const before = await node.snapshot();

    const { exitCode, findings, report } = await fix(node);

    expect(exitCode).toBe(1);
    expect(findings).toMatchObject([{ remedy: { kind: 'none', reason: expect.stringMatching(reason) } }]);
    expect(report.plan).toEqual([]);
    expect(await node.snapshot()).toEqual({ ...before, conntrack: expect.anything() });
  });
});

describe('a node', () => {
  it('without k3s has nothing to look at', async () => {
    await using overlay = await startOverlay();
    const { second: node } = overlay;
    await rules(node, 'rm -r /run/flannel; ip link del cni0; ip link del flannel.1');
    await stopK3s(node);
    expect(await check(node)).toMatchObject({ exitCode: 0, report: { checks: [{ outcome: 'skipped' }] } });
  });

  it('that lets everything through is healthy', async () => {
    await using overlay = await startOverlay({ isDualStack: true });
    expect(await check(overlay.first)).toMatchObject({ exitCode: 0, findings: [], reasons: [] });
  });
});

/** kube-router's chains for pod 1: nobody may reach its TCP port. */
const networkPolicy = `
iptables -N KUBE-ROUTER-FORWARD
iptables -N KUBE-POD-FW-AAAAAAAAAAAAAAAA
iptables -I FORWARD 1 -m comment --comment "kube-router netpol - TEMCG2JMHZYE7H7T" -j KUBE-ROUTER-FORWARD
iptables -A KUBE-ROUTER-FORWARD -d 10.42.1.5/32 -m comment --comment "rule to jump traffic destined to POD name:pod-1" -j KUBE-POD-FW-AAAAAAAAAAAAAAAA
iptables -A KUBE-POD-FW-AAAAAAAAAAAAAAAA -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A KUBE-POD-FW-AAAAAAAAAAAAAAAA -p tcp -j DROP
`;

async function addFlannelRulesBehind(node: LabNode): Promise<void> {
  await addFlannelRules(node, 'nft');
  // What is appended behind a policy of ACCEPT's reject does not count; ahead of a DROP policy it does.
  await node.run(['sh', '-ec', 'iptables -F FLANNEL-FWD']);
}

async function stopK3s(node: OverlayNode<LabNode>): Promise<void> {
  await node.exec(['pkill', '--exact', 'k3s']);
}

function linesBeyond(before: string, after: string): readonly string[] {
  const known = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !known.has(line));
}
