/** What ghosts do to real connections, and what those meet once the ghosts are gone. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { identifyPod } from '../node/add-pod.ts';
import { expectOnlyGone } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { haunt, startHauntedNode, startPeopledNode, webGhost, webLive } from './haunted-node.ts';
import { runDoctor } from './run-doctor.ts';

const web6 = { name: 'default/web:http', address: 'fd00:43::80', port: 80 } as const;

describe('ghosts of IPv6', () => {
  it.each(['legacy', 'nft'] as const)('are found in %s, explained, and removed', async (ghosts) => {
    await using node = await startHauntedNode({
      ghosts,
      family: 'ipv6',
      earlier: [{ ...web6, endpoints: ['[fd00:42::5]:8080'] }],
      now: [{ ...web6, endpoints: ['[fd00:42::9]:8080', '[fd00:42::10]:8080'] }],
    });
    const before = await node.snapshot();
    expect(await node.client.http('fd00:43::80', 80, { timeoutMs: 300 })).toMatchObject({ ok: false });

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.findings[0]).toMatchObject({
      effect: 'masks',
      message: expect.stringContaining('[fd00:43::80]:80/tcp default/web → [fd00:42::5]:8080 dead'),
    });
    expect(fix.exitCode).toBe(0);
    expectOnlyGone(before, await node.snapshot(), { backend: ghosts });
    expect(await node.client.http('fd00:43::80', 80)).toMatchObject({ ok: true });
  });
});

describe('a ghost that no live rule contests', () => {
  it('takes the traffic of its address, and gives it back', async () => {
    const old = { name: 'default/old:http', address: '192.168.60.1', port: 8080 } as const;
    await using node = await startPeopledNode();
    await haunt(node, {
      earlier: [{ ...old, endpoints: ['10.42.0.5:8080'] }],
      now: [webLive],
      winner: 'live',
    });
    const own = node.start([process.execPath, servePod, 'the node itself', '8080', '']);
    await own.waitForLine('serving');
    expect(await node.client.http(node.address, 8080, { timeoutMs: 300 })).toMatchObject({ ok: false });

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, findings: [{ effect: 'captures' }, {}, {}, {}] });
    expect(await node.client.http(node.address, 8080)).toMatchObject({ ok: true, body: 'the node itself' });
  });

  it('rejects in filter what the other backend accepts, and does so no more', async () => {
    await using node = await startPeopledNode();
    const printer = await node.addClient({
      name: 'printer',
      address: '192.168.60.3',
      address6: 'fd00:60::3',
    });
    await printer.start([process.execPath, servePod, 'printer', '80', '']).waitForLine('serving');
    expect(await node.http('192.168.60.3', 80)).toMatchObject({ body: 'printer' });
    const old = { name: 'default/old:http', address: '192.168.60.3', port: 80, endpoints: [] } as const;
    await haunt(node, { earlier: [webGhost, old] });
    const before = await node.snapshot();
    expect(await node.http('192.168.60.3', 80)).toEqual({ ok: false, reason: 'refused' });

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(0);
    expect(fix.findings).toContainEqual(
      expect.objectContaining({
        code: 'ghost-reject',
        effect: 'rejects',
        message: expect.stringContaining('192.168.60.3:80/tcp default/old → rejected (legacy filter)'),
      }),
    );
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
    expect(await node.http('192.168.60.3', 80)).toMatchObject({ body: 'printer' });
  });
});

describe('a host port in the backend that is not live', () => {
  it('stays and answers while its pod runs, when dead neighbours go from the same chain', async () => {
    await using node = await startPeopledNode();
    const [pod] = node.pods;
    const port80 = [{ hostPort: 80, containerPort: 8080 }];
    const dead = identifyPod({ name: 'dead', address: '10.42.0.5', address6: 'fd00:42::5' });
    const deader = identifyPod({ name: 'deader', address: '10.42.0.6' });
    await haunt(node);
    await node.cni('legacy', 'ADD', { pod: dead, hostPorts: port80 });
    await node.cni('legacy', 'ADD', { pod, hostPorts: port80 });
    await node.cni('legacy', 'ADD', { pod: deader, hostPorts: [{ hostPort: 81, containerPort: 8080 }] });
    const before = await node.snapshot();
    // The older rule of two for one port wins.
    expect(await node.client.http(node.address, 80, { timeoutMs: 300 })).toMatchObject({ ok: false });

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.findings).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ code: 'ghost-host-port', effect: 'masks' }),
        expect.objectContaining({ code: 'ghost-host-port', effect: 'captures' }),
      ]),
    );
    expect(fix.exitCode).toBe(0);
    const chains = [dead, deader].map(
      ({ sandboxId }) => `${sandboxId}|${chainOf(before.legacyIpv4, sandboxId)}`,
    );
    const ghosts = new RegExp(`KUBE-|${chains.join('|')}`);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy', ghosts });
    expect(await node.client.http(node.address, 80)).toMatchObject({ ok: true, body: 'web-1' });
    expect(await node.client.http(node.address6, 80)).toMatchObject({ ok: true, body: 'web-1' });
    expect((await node.client.http(node.address, 81)).ok).toBe(false);
  });

  it('is one of more than a rule can hold, of both families and protocols: all go at once', async () => {
    await using node = await startHauntedNode();
    const dead = identifyPod({ name: 'dead', address: '10.42.0.5', address6: 'fd00:42::5' });
    const hostPorts = [
      ...Array.from({ length: 20 }, (_, i) => ({ hostPort: 2000 + i, containerPort: 3000 + i })),
      { hostPort: 53, containerPort: 5353, protocol: 'udp' as const },
      { hostPort: 99, containerPort: 99, hostIP: node.address },
    ];
    await node.cni('legacy', 'ADD', { pod: dead, hostPorts });
    const before = await node.snapshot();
    expect(before.legacyIpv4.match(/--dports/g)?.length).toBeGreaterThan(2);

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(0);
    const message = (port: string, target: string) =>
      `host port ${port} → ${target} dead (legacy) · no live rule claims it`;
    expect(fix.findings.map((finding) => finding.message)).toEqual(
      expect.arrayContaining([
        message('*:2019/tcp', '10.42.0.5:3019'),
        message('*:53/udp', '10.42.0.5:5353'),
        message(`${node.address}:99/tcp`, '10.42.0.5:99'),
        message('*:2000/tcp', '[fd00:42::5]:3000'),
      ]),
    );
    const ghosts = new RegExp(`KUBE-|${dead.sandboxId}|${chainOf(before.legacyIpv4, dead.sandboxId)}`);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy', ghosts });
  });

  it('is a ghost in the live backend too, once its pod is gone', async () => {
    await using node = await startPeopledNode();
    const [pod] = node.pods;
    const hostPorts = [{ hostPort: 80, containerPort: 8080 }];
    const dead = identifyPod({ name: 'dead', address: '10.42.0.5' });
    await haunt(node);
    await node.cni('nft', 'ADD', { pod: dead, hostPorts });
    await node.cni('nft', 'ADD', { pod, hostPorts });
    const before = await node.snapshot();
    expect(await node.client.http(node.address, 80, { timeoutMs: 300 })).toMatchObject({ ok: false });

    expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);

    expect(await node.client.http(node.address, 80)).toMatchObject({ ok: true, body: 'web-1' });
    const after = await node.snapshot();
    const ghost = new RegExp(`${dead.sandboxId}|${chainOf(before.nftIpv4, dead.sandboxId)}`);
    expect(after.nftIpv4.split('\n')).toEqual(before.nftIpv4.split('\n').filter((line) => !ghost.test(line)));
  });
});

describe('rules that are not of Kubernetes', () => {
  it('stay as they are, those of a network called podman included', async () => {
    await using node = await startHauntedNode();
    const container = identifyPod({ name: 'registry', address: '10.42.0.77' });
    const hostPorts = [{ hostPort: 5000, containerPort: 5000 }];
    await node.cni('legacy', 'ADD', { pod: container, hostPorts, networkName: 'podman' });
    await addForeignRules(node, 'legacy');
    await addForeignRules(node, 'nft');
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, reasons: [] });
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  });
});

describe('connections that conntrack remembers', () => {
  it('end when they lead to a dead pod of a removed rule, and those to live pods go on', async () => {
    const dns = { name: 'kube-system/dns:dns', protocol: 'udp', address: '10.43.0.10', port: 53 } as const;
    const metrics = { ...dns, name: 'kube-system/metrics:udp', address: '10.43.0.11' };
    await using node = await startHauntedNode({
      earlier: [webGhost, { ...dns, endpoints: ['10.42.0.5:5353'] }],
      now: [
        webLive,
        { ...dns, endpoints: ['10.42.0.9:5353'] },
        { ...metrics, endpoints: ['10.42.0.10:5353'] },
      ],
    });
    const ask = (address: string, localPort: number) =>
      node.client.udp(address, 53, { localPort, timeoutMs: 300 });
    expect(await ask('10.43.0.10', 4444)).toEqual({ ok: false, reason: 'timeout' });
    expect(await ask('10.43.0.11', 5555)).toMatchObject({ ok: true, body: 'web-2' });
    const before = (await node.snapshot()).conntrack.filter((line) => line.startsWith('udp'));
    expect(before).toEqual([
      expect.stringMatching(/src=192\.168\.60\.2 dst=10\.43\.0\.10 sport=4444 .*src=10\.42\.0\.5 /),
      expect.stringMatching(/src=192\.168\.60\.2 dst=10\.43\.0\.11 sport=5555 .*src=10\.42\.0\.10 /),
    ]);

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(0);
    expect((await node.snapshot()).conntrack.filter((line) => line.startsWith('udp'))).toEqual(
      before.slice(1),
    );
    expect(await ask('10.43.0.10', 4444)).toMatchObject({ ok: true, body: 'web-1', localPort: 4444 });
  });

  it('go on to the live pods of a Service that lost an address, without an API to ask, too', async () => {
    const dns = {
      name: 'kube-system/dns:dns',
      protocol: 'udp',
      port: 53,
      endpoints: ['10.42.0.9:5353'],
    } as const;
    await using node = await startHauntedNode({
      earlier: [webGhost, { ...dns, address: '192.0.2.14' }],
      now: [webLive, { ...dns, address: '10.43.0.10' }],
    });
    expect(await node.client.udp('192.0.2.14', 53, { localPort: 4444 })).toMatchObject({ body: 'web-1' });
    const before = (await node.snapshot()).conntrack.filter((line) => line.startsWith('udp'));
    expect(before).toHaveLength(1);

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(fix.findings[1]).toMatchObject({ effect: 'captures', traffic: { sentTo: [{ state: 'live' }] } });
    expect((await node.snapshot()).conntrack.filter((line) => line.startsWith('udp'))).toEqual(before);
  });
});

const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));

/** The chain of a sandbox, by the comment of the rule that leads there. */
function chainOf(dump: string, sandboxId: string): string | undefined {
  return new RegExp(`${sandboxId}.* -j (CNI-DN-\\w+)`).exec(dump)?.[1];
}
