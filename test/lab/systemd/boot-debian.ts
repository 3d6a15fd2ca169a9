import { setTimeout as delay } from 'node:timers/promises';
import { createPlace } from '../node/create-place.ts';
import { fakeCrictl } from '../node/fake-crictl.ts';
import { fakeProcess } from '../node/fake-process.ts';
import type { LabNode } from '../node/start-node.ts';
import { childOf, type ExecResult, startProcess } from '../node/start-process.ts';
import { writeFile } from '../node/write-file.ts';
import type { Image } from './prepare-image.ts';

/**
 * The same node, with a Debian as its operating system: programs, files and processes are that one's,
 * `doctor` is the installed command; firewall, pods and clients are still the node's.
 */
export interface Debian extends LabNode {
  /** The node that it runs on: the same network, with the files and programs of this machine. */
  readonly outside: LabNode;
  systemctl(...args: readonly string[]): Promise<ExecResult>;
  /** What a unit has logged, and systemd about it, as `journalctl --unit` shows it: messages alone. */
  journal(unit: string): Promise<string>;
}

export interface BootOptions {
  /** A tar archive of what an earlier one has left in /etc and /var, which this one begins with. */
  readonly disk?: string;
}

/**
 * Boots a Debian of its own on a lab node: its systemd as first process, its journal, its tools, and
 * the built product in the places where `npm install --global` puts it. Some 0.5 s.
 *
 * It has mount, process, host name, IPC and cgroup namespaces of its own inside the node's, a root
 * that is an overlay in memory, and no right to set the clock, to load a module or to write to a
 * setting of the kernel that is not the network namespace's. It ends with the node.
 *
 * @throws Error when it does not come up in 30 s.
 */
export async function bootDebian(
  node: LabNode,
  { root, product }: Image,
  { disk = '' }: BootOptions = {},
): Promise<Debian> {
  const systemd = node.start(['sh', '-ec', enterCgroup, boot, root, product, process.execPath, disk]);
  const stop = async () => {
    await systemd.stop();
    await node.run(['sh', '-ec', removeCgroup]);
  };
  try {
    await systemd.waitForLine('booting');
    const pid = await childOf(await childOf(systemd.pid));
    if (pid === undefined) throw new Error('it ended at once');
    const place = createPlace({
      start: (command, options) => startProcess([...enter(pid), ...command], options),
    });
    const systemctl = (...args: readonly string[]) => place.exec(['systemctl', ...args]);
    await isRunning(systemctl);
    return {
      ...node,
      outside: node,
      start: place.start,
      exec: place.exec,
      run: place.run,
      writeFile: (path, content, mode = '644') => writeFile(place, { path, content, mode }),
      readFile: (path) => place.run(['cat', path]),
      fakeProcess: (name, args = []) => fakeProcess(place, name, args),
      fakeCrictl: (answer) => fakeCrictl(place, answer),
      doctor: (args, options = {}) => place.exec(['k3s-doctor', ...args], options),
      startDoctor: (args, options = {}) => place.start(['k3s-doctor', ...args], options),
      systemctl,
      journal: (unit) => place.run(['sh', '-ec', readJournal, unit]),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (cause) {
    const { stdout, stderr } = await systemd.stop();
    await stop().catch(() => undefined);
    throw new Error(`systemd did not start: ${stdout}${stderr}`, { cause });
  }
}

/** What was printed a moment ago may still be on its way. */
const readJournal = 'journalctl --sync; exec journalctl --unit "$0" --output cat --no-pager';

async function isRunning(systemctl: Debian['systemctl']): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { stdout, stderr } = await systemctl('is-system-running', '--wait');
    if (stdout.trim() === 'running') return;
    if (stdout.trim() === 'degraded') {
      const failed = await systemctl('status', '--state=failed', '--no-pager', '--full', '--lines=40');
      throw new Error(`these failed: ${failed.stdout}`);
    }
    if (performance.now() > deadline) throw new Error(stderr);
    await delay(20);
  }
}

/** As a service of the machine would be started, and no right more. */
function enter(pid: number): readonly string[] {
  return [
    ...[
      'nsenter',
      `--target=${pid}`,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--cgroup',
      '--root',
      '--wd',
    ],
    ...['env', '--unset=NODE_COMPILE_CACHE', 'setpriv', '--pdeathsig', 'KILL', ...limits, '--'],
  ];
}

const limits = ['--bounding-set=-sys_time,-sys_module,-sys_rawio,-wake_alarm', '--inh-caps=-all'] as const;

/**
 * A cgroup of its own, or systemd would take the one that we are in for the whole machine. It is in
 * the hierarchy of version 2, which every kernel has, whether or not the machine uses it.
 * What a killed test has left is empty, and is removed by the next one.
 */
const enterCgroup = `
mkdir -p /run/lab/cgroup /run/lab/debian
mount -t cgroup2 lab /run/lab/cgroup
for old in $(find /run/lab/cgroup -maxdepth 1 -name 'k3s-doctor-lab-*' -mmin +5); do
  grep -qx 'populated 0' $old/cgroup.events && find $old -depth -type d -exec rmdir {} + || continue
done 2>/dev/null
name=k3s-doctor-lab-$(cat /proc/sys/kernel/random/uuid)
mkdir /run/lab/cgroup/$name
echo 0 >/run/lab/cgroup/$name/cgroup.procs
echo $name >/run/lab/cgroup-name
exec unshare --cgroup --mount --propagation private --pid --fork --kill-child=SIGKILL --uts --ipc \\
  sh -ec "$0" boot "$@"
`;

/**
 * /proc/sys is read-only but for the part that belongs to the network namespace: the rest is the
 * machine's own. Everything of the machine that is needed is bound first, the old root goes last.
 */
const boot = `
root=$1 product=$2 node=$3 disk=$4
mount -t tmpfs -o mode=755 lab /run/lab/debian
cd /run/lab/debian
mkdir upper work root
mount -t overlay -o "lowerdir=$root,upperdir=upper,workdir=work" lab root
cd root

[ -z "$disk" ] || tar -xf "$disk"
uname -n >etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$(uname -n)" >etc/hosts
# Not the first boot of this machine, and nobody sits at it.
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
for unit in getty.target systemd-logind.service systemd-sysctl.service fstrim.timer dpkg-db-backup.timer; do
  ln -sf /dev/null etc/systemd/system/$unit
done

mkdir -p usr/local/lib/node_modules/k3s-doctor
touch usr/local/bin/node
bind() {
  mount --bind "$1" "$2"
  mount -o "remount,bind,$3" "$2"
}
bind "$node" usr/local/bin/node ro
bind "$product/lib/node_modules/k3s-doctor" usr/local/lib/node_modules/k3s-doctor ro
cp -RP "$product"/bin/. usr/local/bin/

mount -t proc proc proc
bind proc/sys proc/sys ro
bind proc/sys/net proc/sys/net rw
[ ! -e proc/sysrq-trigger ] || bind proc/sysrq-trigger proc/sysrq-trigger ro
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 lab run
mount -t tmpfs -o mode=755 lab dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

mkdir run/old
pivot_root . run/old
umount -l /run/old
rmdir /run/old
echo booting
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  setpriv ${limits.join(' ')} \\
  /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=0
`;

/** The last process may still be on its way out. */
const removeCgroup = `
cgroup=/run/lab/cgroup/$(cat /run/lab/cgroup-name)
for attempt in $(seq 100); do
  find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && exit
  sleep 0.05
done
`;
