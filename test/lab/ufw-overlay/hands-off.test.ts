/** What is not ours to change, and what goes wrong: each a clear line, and nothing is changed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { nodeList } from '../overlay/node-objects.ts';
import { specOf } from '../overlay/overlay-member.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { foreignFiles, reaches, startWalledOverlay, ufw, type Walled } from './walled-overlay.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

/** Whoever adds a rule by it is kept waiting, with whatever he holds. */
const slowIptables = `
rm /usr/sbin/iptables
cat >/usr/sbin/iptables <<'END'
#!/bin/sh
case "$*" in *1234*) touch /run/lab/reached; sleep 60 ;; esac
exec /usr/sbin/iptables-nft "$@"
END
chmod 755 /usr/sbin/iptables
`;

type Run = Awaited<ReturnType<typeof runDoctor>>;

/** All the rules there are, and what UFW keeps. Connections come and go. */
async function everything(node: Walled): Promise<readonly unknown[]> {
  const { conntrack: _, ...rules } = await node.snapshot();
  return [await foreignFiles(node), await ufw(node, 'show added'), rules];
}

const reasonOf = ({ findings }: Run, subject: string) => {
  const remedy = findings.find((finding) => finding.subject === subject)?.remedy;
  return remedy && 'reason' in remedy ? remedy.reason : undefined;
};

describeWithSystemd('nothing is changed', () => {
  it('of what somebody decided, and the commands that are printed do it', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    await ufw(first, 'allow proto tcp from 192.168.60.12 to any port 6443,10250');
    await ufw(first, 'deny 8472/udp');
    const before = await everything(first);

    const denied = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(denied).toMatchObject({ exitCode: 1, report: { plan: [] } });
    const reason = reasonOf(denied, '192.168.60.12 8472/udp') ?? '';
    expect(reason).toMatch(
      /^8472\/udp: a rule of UFW's says so, not its default; by hand: ufw prepend allow /,
    );
    expect(await everything(first)).toEqual(before);

    await first.run(['sh', '-ec', reason.replace(/^.*by hand: /, '')]);
    expect(await reaches(overlay)).toBe(true);
    expect((await runDoctor(first, ['check', 'ufw-overlay'])).findings).toEqual([]);

    for (const match of ['-i lo', '-m conntrack --ctstate ESTABLISHED', '-p tcp']) {
      await first.run(['iptables-legacy', '-A', 'INPUT', ...match.split(' '), '-j', 'ACCEPT']);
    }
    await first.run(['iptables-legacy', '-P', 'INPUT', 'DROP']);
    const twice = await everything(first);
    const legacy = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(legacy).toMatchObject({ exitCode: 1, report: { plan: [] } });
    expect(await everything(first)).toEqual(twice);
    const command = reasonOf(legacy, '192.168.60.12 8472/udp')?.replace(/^.*by hand: /, '') ?? '';
    expect(command).toBe('iptables-legacy -I INPUT -s 192.168.60.12 -p udp --dport 8472 -j ACCEPT');
    await first.run(['sh', '-ec', command]);
    expect(await reaches(overlay)).toBe(true);
  }, 120_000);

  it('by a UFW that was switched off halfway', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    await first.run(['sed', '-i', 's/^ENABLED=yes/ENABLED=no/', '/etc/ufw/ufw.conf']);
    const before = await everything(first);
    const fix = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(fix).toMatchObject({ exitCode: 1, report: { plan: [] } });
    expect(reasonOf(fix, '192.168.60.12 8472/udp')).toBe(
      '8472/udp: UFW is off by its configuration, and its rules are still in the kernel; by hand: ufw enable, and run this again; or ufw disable, which empties its chains',
    );
    expect(await everything(first)).toEqual(before);

    await ufw(first, 'disable');
    expect(await reaches(overlay)).toBe(true);
    expect(await runDoctor(first, ['check', 'ufw-overlay'])).toMatchObject({ exitCode: 0, findings: [] });
  }, 120_000);

  it('while somebody else holds the lock of UFW, or UFW fails', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    const before = await everything(first);
    await first.writeFile('/run/lab/ufw', '#!/bin/sh\necho "ERROR: no room" >&2\nexit 1\n', '755');
    await first.run(['mount', '--bind', '/run/lab/ufw', '/usr/sbin/ufw']);
    const failing = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    await first.run(['umount', '/usr/sbin/ufw']);
    expect(failing).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'complete' } },
    });
    expect(failing.report.fix?.reason).toContain('ERROR: no room');
    expect(await everything(first)).toEqual(before);

    await first.run(['sh', '-ec', slowIptables]);
    const holder = first.start(['ufw', 'allow', '1234/tcp']);
    await first.run(['sh', '-ec', 'until [ -e /run/lab/reached ]; do sleep 0.05; done']);
    const waiting = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    await holder.stop();
    expect(waiting).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'complete' } },
    });
    expect(waiting.report.fix?.reason).toMatch(
      /ufw: .*is another ufw at work, with \/run\/ufw\.lock in its hands\?/,
    );
    expect(await ufw(first, 'show added')).not.toContain('k3s-doctor');
  }, 120_000);

  it('for nodes of which nothing is known', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    const before = await everything(first);
    const twin = { ...specOf(2, false), hostname: 'node-3' };
    await first.answer('/api/v1/nodes', nodeList([specOf(1, false), specOf(2, false), twin]));
    const twins = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(twins).toMatchObject({ exitCode: 2, findings: [] });
    expect(twins.reasons[0]).toBe(
      'nodes node-2 and node-3 have the same address 192.168.60.12: what node-2 needs was not judged',
    );

    await first.answer('/api/v1/nodes', nodeList([{ ...specOf(2, false), hostname: 'node-9' }]));
    const strange = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(strange).toMatchObject({ exitCode: 2, findings: [] });
    expect(strange.reasons[0]).toBe(
      'this node is not among the nodes of the cluster (node-9): what they need of it is not known',
    );
    expect(await everything(first)).toEqual(before);
  }, 120_000);
});
