/** k3s-coredns.service under a real systemd: what its sandbox lets it do, and nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LabNode, startNode } from '../node/start-node.ts';
import { bootDebian, type Debian } from './boot-debian.ts';
import { describeWithSystemd } from './describe-with-systemd.ts';
import { dropIn, installUnits } from './install-units.ts';
import { type Image, prepareImage } from './prepare-image.ts';

const units = fileURLToPath(new URL('../../../units', import.meta.url));
const unit = 'k3s-coredns.service';

describeWithSystemd('the unit that looks after CoreDNS', () => {
  let image: Image;
  let node: LabNode;
  let debian: Debian;
  beforeAll(async () => {
    image = await prepareImage();
    node = await startNode();
    debian = await bootDebian(node, image);
    await installUnits(debian);
  }, 300_000);
  afterAll(async () => {
    await debian?.stop();
    await node?.stop();
    await image?.remove();
  });

  it('is what systemd has no complaint about, with its timer', async () => {
    const verify = ['systemd-analyze', 'verify', unit, 'k3s-coredns.timer'];
    expect(await debian.exec(verify)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const security = ['systemd-analyze', 'security', '--threshold=50', '--no-pager', unit];
    expect(await debian.exec(security)).toMatchObject({ exitCode: 0 });
  });

  it('differs from the others only where it enters a network and writes k3s’ settings', async () => {
    const [own, others] = await Promise.all([sandboxOf(unit), sandboxOf('k3s-iptables-cleanup.service')]);
    expect(own.filter((line) => !others.includes(line))).toEqual([
      'ReadWritePaths=-/etc/rancher/k3s -/var/lib/rancher/k3s/server/manifests',
      'CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE',
      'RestrictNamespaces=net',
      'SystemCallFilter=@chown',
    ]);
    expect(others.filter((line) => !own.includes(line))).toEqual([
      'CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW',
      'RestrictNamespaces=yes',
    ]);
  });

  it('lets the product do its work, which is none where there is no k3s', async () => {
    await debian.systemctl('start', unit);

    const { stdout } = await debian.systemctl('show', '--property=ActiveState,ExecMainStatus', unit);
    expect(stdout.trim().split('\n')).toEqual(['ExecMainStatus=0', 'ActiveState=inactive']);
    expect(await debian.journal(unit)).toMatch(/^fix: nothing to do /m);
  });

  it('enters the network of a pod and reads what the pod sees, and makes no other namespace', async () => {
    const pod = `unshare --net --mount sh -c 'mount --bind /root/pod-resolv.conf /etc/resolv.conf; ip link set lo up; exec sleep 600'`;
    await debian.writeFile('/root/pod-resolv.conf', 'nameserver 192.0.2.53\n');
    await debian.run(['systemd-run', '--unit=pod', '--collect', 'sh', '-c', pod]);
    await expect
      .poll(async () => (await debian.exec(['pgrep', '--full', '^sleep 600'])).exitCode, { timeout: 10_000 })
      .toBe(0);

    const output = await runInstead(`
pid=$(pgrep --full '^sleep 600')
cat /proc/$pid/root/etc/resolv.conf
nsenter --net=/proc/$pid/ns/net -- ip -brief link
unshare --mount true; echo another mount namespace: $?
for d in /etc /etc/rancher/k3s /var/lib/rancher/k3s/server/manifests /usr /var/lib/k3s-doctor; do
  test -w $d && echo may write $d
done`);

    expect(output).toContain('nameserver 192.0.2.53\n');
    expect(output).toMatch(/^lo +UNKNOWN/m);
    expect(output).not.toMatch(/^eth0/m);
    expect(output).toContain('another mount namespace: 1');
    expect(output.match(/(?<=^may write ).*$/gm)).toEqual([
      '/etc/rancher/k3s',
      '/var/lib/rancher/k3s/server/manifests',
      '/var/lib/k3s-doctor',
    ]);
  });

  /** Runs a shell script in the place of the product, under the same unit. Returns what it printed. */
  async function runInstead(script: string): Promise<string> {
    await debian.run(['mkdir', '-p', '/etc/rancher/k3s', '/var/lib/rancher/k3s/server/manifests']);
    await debian.writeFile('/root/script', script);
    await dropIn(debian, unit, '[Service]\nExecStart=\nExecStart=sh /root/script\nExecStopPost=\n');
    await debian.systemctl('start', unit);
    return debian.journal(unit);
  }
});

/** All settings that shut something off, or open it. */
async function sandboxOf(name: string): Promise<readonly string[]> {
  const settings =
    /^(Capability|NoNew|Protect|Private|ProcSubset|ReadOnly|ReadWrite|Restrict[A-Z]|Lock|SystemCall|UMask|State|Runtime)/;
  const text = await readFile(join(units, name), 'utf8');
  return text.split('\n').filter((line) => settings.test(line));
}
