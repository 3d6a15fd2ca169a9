/** What nobody is left to take back, the dead man's switch takes back. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { startBrokenNode, stateFolder } from './broken-node.ts';
import { killAt } from './kill-at.ts';
import { until } from './until.ts';

it("a fix that hangs after a write is ended by the dead man's switch, with what it had run, and taken back", async () => {
  await using node = await startBrokenNode();
  const restore = await wrapTool(
    node,
    'iptables-legacy-restore',
    'real "$@"; touch /run/lab/at-work; exec sleep 1234',
  );
  await node.configure({ commandTimeoutMs: 60_000, commands: { 'iptables-legacy-restore': restore } });
  const fix = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
  await until(node, 'test -e /run/lab/at-work');
  const run = (await node.readFile(`${stateFolder}/journal/open`)).trim();
  await node.run(['kill', '-STOP', run.split('-')[1] ?? '']);
  expect(await node.state()).toBe('between');
  // Its own watchdog would do the same in two minutes.
  await node.run(['pkill', '-f', 'undo.*--unless-confirmed --after 120']);
  await node.configure();

  const undo = await node.doctor(['undo', run, '--unless-confirmed', '--after', '1'], { timeoutMs: 50_000 });

  expect(undo).toMatchObject({ exitCode: 0 });
  // nsenter stops when what it started does.
  if (fix.pid !== undefined) process.kill(fix.pid, 'SIGCONT');
  expect((await fix.ended).exitCode).toBe(137);
  expect(await node.state()).toBe('before');
  expect((await node.exec(['pgrep', '-f', 'sleep 1234'])).exitCode).toBe(1);
  expect((await node.exec(['test', '-e', `${stateFolder}/journal/open`])).exitCode).toBe(1);
  expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
});

it('a fix that was killed after a write is taken back by its watchdog when the time is over', async () => {
  await using node = await startBrokenNode();
  await node.breakAgain();
  const probes = { api: false, ssh: false, dns: false, peer: false };
  await node.configure({ commandTimeoutMs: 10_000, guards: { confirmSeconds: 30, probes } });
  expect(await killAt(node, ['fix', 'iptables-ghosts', '--yes'], { call: 'fsync', nth: 14 })).toBe(true);
  expect(await node.state()).toBe('between');

  for (
    let tries = 0;
    tries < 3 && (await node.exec(['test', '-e', `${stateFolder}/journal/open`])).exitCode === 0;
    tries++
  ) {
    await until(node, `! test -e ${stateFolder}/journal/open`).catch(() => undefined);
  }

  expect(await node.state()).toBe('before');
  expect((await node.doctor(['history'])).stdout).toContain('reverted');
  await until(node, '! pgrep -f "[u]nless-confirmed"');
});

it('the switch of a run that has ended leaves its process alone, which is at work on the next one', async () => {
  await using node = await startBrokenNode();
  const restore = await wrapTool(
    node,
    'iptables-legacy-restore',
    `real "$@"; code=$?
echo >>/run/lab/writes
case $(wc -l </run/lab/writes) in
1) touch /run/lab/first; while [ ! -e /run/lab/go ]; do sleep 0.1; done;;
3) touch /run/lab/next; sleep 38;;
esac
exit $code`,
  );
  await node.configure({ commandTimeoutMs: 60_000, commands: { 'iptables-legacy-restore': restore } });
  const fix = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
  await until(node, 'test -e /run/lab/first');
  const run = (await node.readFile(`${stateFolder}/journal/open`)).trim();
  const undo = node.startDoctor(['undo', run, '--unless-confirmed', '--after', '1']);
  await until(node, 'pgrep -f "[u]nless-confirmed --after 1"');
  // The second step finds that the node has moved on: the run ends, and another one begins.
  const match = [
    '-d',
    '10.43.0.78/32',
    '-p',
    'tcp',
    '-m',
    'comment',
    '--comment',
    'default/two:http has no endpoints',
  ];
  const rule = [...match, '-m', 'tcp', '--dport', '80', '-j', 'REJECT'];
  await node.run(['iptables-legacy', '-A', 'KUBE-SERVICES', ...rule]);
  await node.run(['sh', '-c', 'sleep 3; touch /run/lab/go']);
  await until(node, 'test -e /run/lab/next');

  expect((await undo.ended).exitCode).toBe(0);
  expect((await fix.ended).exitCode).toBe(0);
  expect(await node.state()).toBe('after');
});
