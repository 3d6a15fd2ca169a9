/** Two processes that want to change the same node, and one that hangs. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { type BrokenNode, startBrokenNode, stateFolder } from './broken-node.ts';
import { killAt } from './kill-at.ts';
import { until } from './until.ts';

it('while a fix is at work every other that would write is told who holds the lock, and changes nothing', async () => {
  await using node = await startBrokenNode();
  await useRestore(
    node,
    'touch /run/lab/at-work; while [ ! -e /run/lab/go-on ]; do sleep 0.05; done; real "$@"',
  );
  const fix = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
  await until(node, 'test -e /run/lab/at-work');
  const run = await openRun(node);
  const pid = run.split('-')[1];

  for (const args of [
    ['fix', 'iptables-ghosts', '--yes'],
    ['fix', 'iptables-ghosts', '--unattended'],
    ['settle'],
    ['fix', 'iptables-ghosts', '--yes'],
  ]) {
    const second = await node.doctor(args);
    expect(second).toMatchObject({ exitCode: 4, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(`another run is at work \\(pid ${pid}, fix, since 20[-\\d]+T[:.\\d]+Z, run ${run}\\)`),
    );
  }
  expect(await node.state()).toBe('before');
  expect((await node.doctor(['check', 'iptables-ghosts'])).exitCode).toBe(1);

  await node.run(['touch', '/run/lab/go-on']);
  expect((await fix.ended).exitCode).toBe(0);
  expect(await node.state()).toBe('after');
});

it('while repairs are paused nobody repairs, and everybody may look', async () => {
  await using node = await startBrokenNode();
  await node.configure();
  expect((await node.doctor(['pause', '--reason', 'moving house', '--for', '2h'])).exitCode).toBe(0);

  for (const how of ['--yes', '--unattended']) {
    const fix = await node.doctor(['fix', 'iptables-ghosts', how]);
    expect(fix).toMatchObject({ exitCode: 4, stdout: '' });
    expect(fix.stderr).toContain('moving house');
  }
  expect((await node.doctor(['check', 'iptables-ghosts'])).exitCode).toBe(1);
  expect(await node.state()).toBe('before');

  expect((await node.doctor(['resume'])).exitCode).toBe(0);
  expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
});

it('a switch that goes off late leaves alone what was confirmed', async () => {
  await using node = await startBrokenNode();
  await node.configure();
  const { report } = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

  expect((await node.doctor(['undo', report.run.id, '--unless-confirmed'])).exitCode).toBe(0);

  expect(await node.state()).toBe('after');
});

it('after a reboot nothing of a killed run is put back into the new rules, and the history says so', async () => {
  await using node = await startBrokenNode();
  await node.breakAgain();
  await node.configure({ commandTimeoutMs: 10_000 });
  // Somewhere behind the first table.
  expect(await killAt(node, ['fix', 'iptables-ghosts', '--yes'], { call: 'fsync', nth: 14 })).toBe(true);
  expect(await node.state()).toBe('between');
  const rules = await node.snapshot();
  await node.writeFile('/run/lab/boot', '0f6e9c1a-0000-4000-8000-000000000000\n');
  await node.run(['mount', '--bind', '/run/lab/boot', '/proc/sys/kernel/random/boot_id']);

  const settled = await node.doctor(['settle']);

  expect(settled).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('the node has rebooted since'),
  });
  expect((await node.snapshot()).legacyIpv4).toBe(rules.legacyIpv4);
  expect((await node.doctor(['history'])).stdout).toContain('reverted');
  expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
  expect(await node.state()).toBe('after');
});

async function useRestore(node: BrokenNode, script: string): Promise<void> {
  const restore = await wrapTool(node, 'iptables-legacy-restore', script);
  await node.configure({ commandTimeoutMs: 60_000, commands: { 'iptables-legacy-restore': restore } });
}

async function openRun(node: BrokenNode): Promise<string> {
  return (await node.readFile(`${stateFolder}/journal/open`)).trim();
}
