import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LabNode } from '../node/start-node.ts';
import type { ExecResult } from '../node/start-process.ts';

export interface Systemd extends AsyncDisposable {
  systemctl(...args: readonly string[]): Promise<ExecResult>;
}

/** Where it takes its unit files from, and no others. */
export const unitFolder = '/run/lab/units';

/** Where it sees the Node that runs us. */
export const nodeProgram = '/run/lab/node';

/**
 * Boots this machine's own systemd on a lab node, with the unit files in /run/lab/units and nothing
 * else: no journal, no bus, no service of the machine. What it starts sees the node's rules, pods
 * and files, and a command `k3s-doctor` that runs the sources.
 *
 * It has mount, process, host name and cgroup namespaces of its own inside the node's, a read-only
 * root, and no right to set the clock or to load a module. It ends with the node.
 *
 * @throws Error when it does not come up in 20 s.
 */
export async function bootSystemd(node: LabNode): Promise<Systemd> {
  await node.run(['sh', '-ec', prepare], { input: doctorScript });
  const systemd = node.start(['sh', '-ec', enterCgroup, boot, repositoryRoot, process.execPath]);
  const systemctl = (...args: readonly string[]) => node.exec(['sh', '-c', enter, 'systemctl', ...args]);
  const stop = async () => {
    await systemd.stop();
    await node.run(['sh', '-ec', removeCgroup]);
  };
  const deadline = performance.now() + 20_000;
  for (;;) {
    const { stdout, stderr } = await systemctl('is-active', 'lab.target');
    if (stdout.trim() === 'active') return { systemctl, [Symbol.asyncDispose]: stop };
    if (performance.now() > deadline) throw new Error(`systemd did not start: ${stderr}`);
    await delay(20);
  }
}

const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
const repository = '/run/lab/repository';
const doctorScript = `#!/bin/sh\nexec ${nodeProgram} ${repository}/src/cli/main.ts "$@"\n`;

/** Every unit with default dependencies wants these; the real ones would bring half a machine. */
const prepare = `
mkdir -p ${unitFolder} ${repository} /run/lab/bin /run/lab/cgroup
for unit in lab sysinit basic timers shutdown; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >${unitFolder}/$unit.target
done
touch ${nodeProgram}
cat >/run/lab/bin/k3s-doctor
chmod 755 /run/lab/bin/k3s-doctor
`;

/** A cgroup of its own, or systemd would take the one that we are in for the whole machine. */
const enterCgroup = `
name=k3s-doctor-lab-$(cat /proc/sys/kernel/random/uuid)
mount -t cgroup2 lab /run/lab/cgroup
mkdir /run/lab/cgroup/$name
echo 0 >/run/lab/cgroup/$name/cgroup.procs
echo $name >/run/lab/cgroup-name
echo $$ >/run/lab/parent-of-systemd
exec unshare --cgroup --mount --propagation private --pid --fork --kill-child=SIGKILL --uts \\
  sh -ec "$0" boot "$@"
`;

/**
 * Whatever systemd might write outside of /run, /etc and /var/lib, which are the node's own, gets a
 * file system in memory. What is needed is bound elsewhere first: it may lie below /tmp.
 */
const boot = `
mount --bind "$1" ${repository}
mount --bind "$2" ${nodeProgram}
mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
dev=/run/lab/dev
mkdir $dev
mount -t tmpfs -o mode=755 lab $dev
mkdir $dev/pts $dev/shm
for device in null zero full random urandom tty; do
  touch $dev/$device
  mount --bind /dev/$device $dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts $dev/pts
ln -s pts/ptmx $dev/ptmx
ln -s /proc/self/fd $dev/fd
mount --move $dev /dev
mount -t tmpfs -o mode=1777 lab /tmp
mount -t tmpfs -o mode=1777 lab /var/tmp
mount -t tmpfs -o mode=755 lab /var/log
mount --bind /run/lab/bin /usr/local/bin
mount -o remount,bind,ro /
exec env -i container=lab SYSTEMD_UNIT_PATH=${unitFolder} PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-wake_alarm --inh-caps=-all \\
  /lib/systemd/systemd --system --unit=lab.target --log-target=null --show-status=0
`;

/** systemd answers only to those whom it can see. */
const enter = `
parent=$(cat /run/lab/parent-of-systemd) || exit
pid=$(cat /proc/$parent/task/$parent/children) || exit
exec nsenter --target \${pid:?there is no systemd yet} --mount --pid --cgroup --root --wd systemctl "$@"
`;

/** The last process may still be on its way out. */
const removeCgroup = `
cgroup=/run/lab/cgroup/$(cat /run/lab/cgroup-name)
for attempt in $(seq 100); do
  find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && exit
  sleep 0.05
done
`;
