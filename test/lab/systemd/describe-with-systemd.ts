import { describe } from 'vitest';
import { startProcess } from '../node/start-process.ts';

/**
 * `describe` for what needs a real systemd. It is left out, and that is said, only where the kernel or
 * the container around us allows no cgroups of our own; with LAB_REQUIRE_SYSTEMD set not even there.
 */
export function describeWithSystemd(name: string, tests: () => void): void {
  if (obstacle === undefined || process.env['LAB_REQUIRE_SYSTEMD']) {
    describe(name, tests);
  } else {
    process.stderr.write(`lab: skipped "${name}": systemd cannot be booted here: ${obstacle}\n`);
    describe.skip(name, tests);
  }
}

const obstacle = await findObstacle();

async function findObstacle(): Promise<string | undefined> {
  const script = `
mount -t tmpfs lab /mnt
mkdir /mnt/cgroup
mount -t cgroup2 lab /mnt/cgroup
mkdir /mnt/cgroup/k3s-doctor-lab-$$
trap 'rmdir /mnt/cgroup/k3s-doctor-lab-$$' EXIT
sh -c 'echo 0 >"$1"' sh /mnt/cgroup/k3s-doctor-lab-$$/cgroup.procs
`;
  const unshare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script];
  const { exitCode, stderr } = await startProcess(unshare, { input: '' }).ended;
  return exitCode === 0 ? undefined : stderr.trim();
}
