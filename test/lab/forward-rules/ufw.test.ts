/** UFW in the way of pods' traffic: found, named, opened by UFW's own rules, and SSH is open all the while. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { type Overlay, startDebianOverlay } from '../overlay/start-overlay.ts';
import type { Debian } from '../systemd/boot-debian.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { addFlannelRules } from './flannel-rules.ts';
import { allPasses, podTraffic } from './pod-traffic.ts';
import { watchSsh } from './watch-ssh.ts';

let image: Image;
let overlay: Overlay<Debian>;
let node: Overlay<Debian>['first'];
beforeAll(async () => {
  image = await prepareImage();
  overlay = await startDebianOverlay(image);
  node = overlay.first;
}, 300_000);
afterAll(async () => {
  await overlay?.stop();
  await image?.remove();
});

/** A UFW that lets in what it has to, and forwards as is said; no rule of anybody else's. */
async function startUfw(forward: 'DROP' | 'REJECT' | 'ACCEPT'): Promise<void> {
  await node.run(['sh', '-ec', freshUfw, forward]);
}

const freshUfw = `
ufw --force disable
nft flush ruleset
cp -a /usr/share/ufw/iptables/*.rules /etc/ufw/
sed -i "s/^DEFAULT_FORWARD_POLICY=.*/DEFAULT_FORWARD_POLICY=\\"$0\\"/" /etc/default/ufw
ufw allow 22/tcp
ufw allow proto udp from 192.168.60.12 to any port 8472 comment mine
ufw route deny from 198.51.100.0/24
ufw --force enable
`;

const fix = () => runDoctor(node, ['fix', 'forward-rules', '--yes']);
const check = () => runDoctor(node, ['check', 'forward-rules']);
const tuples = async () =>
  (await node.run(['sh', '-c', 'grep -h "^### tuple" /etc/ufw/user*.rules'])).trim().split('\n');

describeWithSystemd('UFW that denies what is routed, before Flannel has come', () => {
  beforeEach(() => startUfw('DROP'));

  it('is found with the flows that it hurts, and opened; ping alone would have told nothing', async () => {
    expect(await podTraffic(overlay)).toEqual({ tcp: false, udp: false, ping: true });
    const before = await tuples();

    const found = await check();

    expect(found.exitCode).toBe(1);
    expect(found.findings).toMatchObject([
      {
        code: 'forward-blocked',
        subject: 'iptables-nft filter FORWARD policy',
        message:
          "all that pods send and receive: dropped by the policy of FORWARD, iptables-nft filter: UFW's default for what is routed is deny",
        remedy: { kind: 'planned' },
      },
    ]);
    const fixed = await fix();
    expect(fixed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(fixed.report.plan.map(({ command }) => command)).toEqual([
      "ufw route allow from 10.42.0.0/16 to any comment 'k3s-doctor: what pods send'",
      "ufw route allow from any to 10.42.0.0/16 comment 'k3s-doctor: what pods receive'",
    ]);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    expect((await tuples()).filter((line) => before.includes(line))).toEqual(before);

    const files = await everything();
    expect(await fix()).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'nothing-to-do' } } });
    expect(await everything()).toBe(files);

    await node.run(['ufw', 'reload']);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    await node.systemctl('restart', 'ufw');
    expect(await podTraffic(overlay)).toEqual(allPasses);
    expect((await check()).exitCode).toBe(0);
  });

  it('is found again when somebody deletes one of our rules, and only that is added', async () => {
    await fix();
    await node.run(['ufw', 'route', 'delete', 'allow', 'to', '10.42.0.0/16']);
    const { findings, report } = await fix();
    expect(findings).toMatchObject([{ message: expect.stringMatching(/^outside → pods here, outside → /) }]);
    expect(report.plan).toHaveLength(1);
    expect((await check()).exitCode).toBe(0);
  });

  it('is as before when the fix is undone', async () => {
    const before = await everything();
    const { report } = await fix();
    expect(await everything()).not.toBe(before);
    const undone = await runDoctor(node, ['undo', report.run.id, '--yes']);
    expect(undone).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await everything()).toBe(before);
  });

  it("is not overruled where somebody's rule is about just these packets", async () => {
    await node.run(['ufw', 'route', 'reject', 'from', '10.42.0.0/16', 'to', '10.42.2.0/24']);
    const before = await tuples();
    const { findings, exitCode } = await fix();
    expect(exitCode).toBe(1);
    expect(findings).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining(
          'pods here → pods elsewhere: rejected by rule 2 of ufw-user-forward',
        ),
        remedy: {
          kind: 'none',
          reason: expect.stringContaining('ufw route prepend allow from 10.42.0.0/16'),
        },
      }),
    );
    expect((await tuples()).filter((line) => before.includes(line))).toEqual(before);
    expect(await node.pod.http('10.42.2.5', 8080)).toMatchObject({ reason: 'refused' });
    expect(await overlay.second.pod.http('10.42.1.5', 8080)).toMatchObject({ body: 'pod-1' });
    expect((await fix()).report.plan).toEqual([]);
  });

  it('is opened ahead of a rule that denies everything that is routed', async () => {
    await node.run(['ufw', 'route', 'deny', 'from', 'any']);
    const { report } = await fix();
    expect(report.plan[0]?.command).toMatch(/^ufw route prepend allow from 10\.42/);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    expect((await fix()).report.plan).toEqual([]);
  });
});

describeWithSystemd('UFW that rejects what is routed, ahead of Flannel', () => {
  beforeEach(async () => {
    await startUfw('REJECT');
    await addFlannelRules(node);
  });

  it('is found and opened while SSH stays open, each 50 ms', async () => {
    expect(await podTraffic(overlay)).toEqual({ tcp: false, udp: false, ping: true });
    const endOfWatch = await watchSsh(node);

    const fixed = await fix();

    const ssh = await endOfWatch();
    expect(ssh.tried).toBeGreaterThan(20);
    expect(ssh.failed).toBe(0);
    expect(ssh.slowestMs).toBeLessThan(900); // a lost SYN comes again after a second
    expect(fixed.exitCode).toBe(0);
    expect(fixed.findings).toMatchObject([
      {
        message: expect.stringMatching(
          /: rejected by rule 1 of ufw-reject-forward, iptables-nft filter: UFW's default/,
        ),
      },
    ]);
    expect(await podTraffic(overlay)).toEqual(allPasses);
    await node.systemctl('restart', 'ufw');
    expect(await podTraffic(overlay)).toEqual(allPasses);
    expect((await fix()).report.plan).toEqual([]);
  });
});

describeWithSystemd('UFW that is not in the way', () => {
  it.each([
    ['accepts what is routed', () => startUfw('ACCEPT')],
    [
      'was there after Flannel, which comes first then',
      async () => {
        await node.run(['sh', '-ec', `ufw --force disable; nft flush ruleset`]);
        await addFlannelRules(node);
        await startUfwLate();
      },
    ],
    [
      'is off, with its jumps still there',
      async () => {
        await startUfw('REJECT');
        await node.run(['ufw', '--force', 'disable']);
      },
    ],
  ])('%s: healthy, and nothing is written', async (_, prepare) => {
    await prepare();
    expect(await podTraffic(overlay)).toEqual(allPasses);
    const before = await everything();
    expect(await fix()).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
    expect(await everything()).toBe(before);
  });

  async function startUfwLate(): Promise<void> {
    await node.run(['sh', '-ec', freshUfw.replace('nft flush ruleset', ''), 'REJECT']);
  }
});

describeWithSystemd('UFW that does not do as it is told', () => {
  beforeEach(() => startUfw('REJECT'));

  it.each([
    [
      'fails',
      '#!/bin/sh\necho "ERROR: problem running" >&2; exit 1\n',
      'ufw: exit code 1: ERROR: problem running',
    ],
    ['hangs', '#!/bin/sh\nexec sleep 60\n', 'is another ufw at work'],
    ['says that it has done it', '#!/bin/sh\necho Rule added\n', 'UFW has not taken it over'],
  ])('%s: nothing has changed, and it is said', async (_, script, reason) => {
    await node.writeFile('/run/lab/ufw', script, '755');
    await configureUfw('/run/lab/ufw');
    const before = await everything();
    const { exitCode, report } = await fix();
    expect(exitCode).toBe(3);
    expect(JSON.stringify(report.fix)).toContain(reason);
    expect(await everything()).toBe(before);
    await configureUfw('/usr/sbin/ufw');
  });

  it('is killed half-way, and the doctor with it: the next run takes all of it back', async () => {
    const before = await everything();
    // At its file, before its rules in the kernel are changed.
    const killed =
      'strace -f -qq -o /dev/null -e trace=vfork -e inject=vfork:signal=KILL:when=13 /usr/sbin/ufw "$@"';
    await node.writeFile('/run/lab/ufw', `#!/bin/sh\n${killed}\nkill -9 $PPID\n`, '755');
    await configureUfw('/run/lab/ufw');
    const { exitCode } = await node.doctor(['fix', 'forward-rules', '--yes']);
    expect(exitCode).toBe(137);
    expect(await everything()).not.toBe(before);
    await configureUfw('/usr/sbin/ufw');

    expect(await node.doctor(['settle'])).toMatchObject({ exitCode: 0 });

    expect(await everything()).toBe(before);
    expect((await fix()).exitCode).toBe(0);
  });

  it('has half a file: nothing is done', async () => {
    await node.run(['sed', '-i', '/^COMMIT/d', '/etc/ufw/user.rules']);
    const before = await everything();
    const { exitCode, report } = await fix();
    expect(exitCode).not.toBe(0);
    expect(report.fix).not.toMatchObject({ outcome: 'done' });
    expect(await everything()).toBe(before);
  });

  it('is off by its own configuration, and its rules are in the kernel: our own accepts do it', async () => {
    await node.run(['sed', '-i', 's/^ENABLED=.*/ENABLED=no/', '/etc/ufw/ufw.conf']);
    const { findings, exitCode } = await fix();
    expect(findings).toMatchObject([{ message: expect.stringContaining('does not maintain') }]);
    expect(exitCode).toBe(0);
    expect(await podTraffic(overlay)).toEqual(allPasses);
  });

  async function configureUfw(ufw: string): Promise<void> {
    const config = JSON.parse(await node.readFile('/etc/k3s-doctor/config.yaml'));
    const commands = { ...config.commands, ufw };
    await node.writeFile(
      '/etc/k3s-doctor/config.yaml',
      JSON.stringify({ ...config, commandTimeoutMs: 3000, commands }),
      '600',
    );
  }
});

/** Rules and files that a fix could change; not the counters, and not what is logged of the run. */
async function everything(): Promise<string> {
  const script = `
cat /etc/ufw/*.rules /etc/ufw/ufw.conf /etc/default/ufw
for each in iptables ip6tables iptables-legacy ip6tables-legacy; do
  $each-save | grep -v '^#\\|-caps-test' | sed 's/ \\[[0-9:]*\\]$//'
done
`;
  return node.run(['sh', '-c', script]);
}
