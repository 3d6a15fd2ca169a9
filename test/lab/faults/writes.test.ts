/** What a fix writes cannot be written, from the start or from some point on. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type BrokenNode, stateFolder } from './broken-node.ts';
import { expectDocumented } from './fault-table.ts';
import { listIoFaults } from './io-faults.ts';
import { tryAll } from './try-all.ts';
import { type Fault, tryFault } from './try-fault.ts';

const onOwnFileSystem =
  (options: string): Fault['prepare'] =>
  async (node) => {
    await node.run(['mkdir', '-p', stateFolder]);
    await node.run(['mount', '-t', 'tmpfs', '-o', `mode=700,${options}`, 'lab', stateFolder]);
    return undefined;
  };

/** Makes the file system as it was; what was written in it stays. */
const makeWritable = (node: BrokenNode) => async () => {
  await node.run(['mount', '-o', 'remount,rw', stateFolder]);
  await node.run(['rm', '-f', `${stateFolder}/filler`]);
};

const fill = `cat /dev/zero >${stateFolder}/filler 2>/dev/null`;
const restoreAnd = (what: string) => `real "$@"; code=$?; ${what}; exit $code`;

const diskFaults: readonly Fault[] = [
  { where: 'state folder', what: 'file system is read-only', ...withDisk('size=4m,ro', undefined) },
  { where: 'state folder', what: 'file system is full', ...withDisk('size=4m', undefined, fill) },
  { where: 'state folder', what: 'no inode is free', ...withDisk('size=4m,nr_inodes=2', undefined) },
  {
    where: 'state folder',
    what: 'is full after the first write',
    ...withDisk('size=4m', { 'iptables-legacy-restore': restoreAnd(fill) }),
  },
  {
    where: 'state folder',
    what: 'is read-only after the first write',
    ...withDisk('size=4m', {
      'iptables-legacy-restore': restoreAnd(`mount -o remount,ro ${stateFolder}`),
    }),
  },
  {
    where: 'state folder',
    what: 'is read-only after the last step',
    ...withDisk('size=4m', {
      conntrack: `real "$@"; code=$?; case "$*" in *-D*) mount -o remount,ro ${stateFolder};; esac; exit $code`,
    }),
  },
];

function withDisk(options: string, tools: Fault['tools'], before = ':'): Pick<Fault, 'tools' | 'prepare'> {
  return {
    ...(tools && { tools }),
    async prepare(node) {
      await onOwnFileSystem(options)?.(node);
      await node.run(['sh', '-c', `${before} || true`]);
      return makeWritable(node);
    },
  };
}

const inItsPlace = (path: string, what: 'a folder' | 'a file'): Fault => ({
  where: path.replace(`${stateFolder}/`, ''),
  what: `there is ${what} in its place`,
  async prepare(node) {
    const make =
      what === 'a folder'
        ? `mkdir -p ${path}/in-it`
        : `mkdir -p ${path.replace(/\/[^/]*$/, '')}; echo x >${path}`;
    await node.run(['sh', '-c', make]);
    return async () => void (await node.run(['rm', '-rf', path]));
  },
});

const placeFaults: readonly Fault[] = [
  inItsPlace(stateFolder, 'a file'),
  inItsPlace(`${stateFolder}/journal`, 'a file'),
  inItsPlace(`${stateFolder}/journal/open`, 'a folder'),
  inItsPlace(`${stateFolder}/backups`, 'a file'),
  inItsPlace(`${stateFolder}/state.json`, 'a folder'),
  inItsPlace(`${stateFolder}/history.jsonl`, 'a folder'),
  inItsPlace('/run/k3s-doctor', 'a file'),
  inItsPlace('/run/k3s-doctor/lock', 'a folder'),
  {
    where: 'state folder',
    what: 'is a link to another file system',
    async prepare(node) {
      await node.run(['sh', '-c', `mkdir -p /run/lab/elsewhere; ln -s /run/lab/elsewhere ${stateFolder}`]);
      return undefined;
    },
  },
];

const clock = { NODE_OPTIONS: `--import ${fileURLToPath(new URL('./shifted-clock.ts', import.meta.url))}` };

const clockFaults: readonly Fault[] = [
  {
    where: 'clock',
    what: 'an hour back since the last run',
    env: clock,
    async prepare(node) {
      expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
      await node.bringGhostsBack();
      await node.run(['touch', '/run/lab/shifted']);
      return async () => void (await node.run(['rm', '/run/lab/shifted']));
    },
  },
  {
    where: 'clock',
    what: 'jumps an hour back after the first write',
    env: clock,
    tools: { 'iptables-legacy-restore': restoreAnd('touch /run/lab/shifted') },
    prepare: async (node) => async () => void (await node.run(['rm', '/run/lab/shifted'])),
  },
];

it('whatever cannot be written, the node is as before or repaired, and what is said of it is true', async () => {
  const ioFaults = (await listIoFaults()).filter(({ isFolder }) => !isFolder);
  const faults = [...diskFaults, ...placeFaults, ...clockFaults, ...ioFaults];
  const rows = await tryAll(faults, async (node, fault) => {
    const row = await tryFault(node, fault);
    await node.exec(['umount', '-q', stateFolder]);
    return row;
  });
  expectDocumented('writes', rows);
}, 240_000);
