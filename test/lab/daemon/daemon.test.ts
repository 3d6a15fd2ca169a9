/** The daemon on a node with ghosts, on the real kernel. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectOnlyGone, expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { startHauntedNode } from '../ghosts/haunted-node.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import type { LabNode } from '../node/start-node.ts';

const everySecond = {
  jitterSeconds: 0,
  runs: [{ cron: '* * * * * *', verb: 'fix', checks: ['iptables-ghosts'] }],
};
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

it('repairs what two runs in a row have seen, logs it line by line, and ends in good order', async () => {
  await using node = await startHauntedNode();
  await configure(node, { commands: { crictl: node.crictl }, schedule: everySecond });
  const before = await node.snapshot();

  await using daemon = startDaemon(node);
  await daemon.waitForLine('"msg":"fix: done: ', 30_000);
  const { exitCode, stdout } = await daemon.stop('SIGTERM');

  expect(exitCode).toBe(0);
  expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  const lines = linesOf(stdout);
  const findings = lines.filter(({ msg }) => msg.startsWith('iptables-ghosts: error: 10.43.0.80:80/tcp'));
  expect(findings[0]?.msg).toContain('[held: ');
  expect(findings.at(-1)?.msg).toContain('[repaired]');
  const done = lines.find(({ msg }) => msg.startsWith('fix: done: '));
  expect(done?.run).toBe(findings.at(-1)?.run);
  expect(new Set(findings.map(({ run }) => run)).size).toBe(2);
  const own = new Set(
    lines.filter(({ msg }) => /scheduled|stopping|stopped/.test(msg)).map(({ run }) => run),
  );
  expect([...own]).toEqual([expect.not.stringContaining(done?.run ?? '')]);
  expect(lines.at(-1)?.msg).toBe('stopped');
});

it('that is ended in the middle of a step finishes the step and puts the node back in order', async () => {
  await using node = await startHauntedNode();
  const restore = await wrapTool(
    node,
    'iptables-legacy-restore',
    `touch /run/lab/at-work; timeout 20 sh -c 'until [ -e /run/lab/go-on ]; do sleep 0.02; done'; real "$@"`,
  );
  await configure(node, {
    commands: { crictl: node.crictl, 'iptables-legacy-restore': restore },
    commandTimeoutMs: 30_000,
    guards: { strikes: 1 },
    schedule: everySecond,
  });
  const before = await node.snapshot();

  await using daemon = startDaemon(node);
  await node.run(['timeout', '20', 'sh', '-c', 'until [ -e /run/lab/at-work ]; do sleep 0.02; done']);
  const ended = daemon.stop('SIGTERM');
  await daemon.waitForLine('"msg":"stopping"');
  expect((await node.exec(['ls', '/var/lib/k3s-doctor/journal/open'])).exitCode).toBe(0);
  await node.writeFile('/run/lab/go-on', '');

  const { exitCode, stdout } = await ended;
  expect(exitCode).toBe(0);
  expect(linesOf(stdout).at(-1)?.msg).toBe('stopped');
  expect((await node.exec(['ls', '/var/lib/k3s-doctor/journal/open'])).exitCode).not.toBe(0);
  const outcome = linesOf(stdout).find(({ msg }) => msg.startsWith('fix: '));
  expect(outcome?.msg).toMatch(/^fix: stopped: asked to stop before: .*: roll-back complete/);
  expectUnchanged(before, await node.snapshot());
});

it('says at once what is wrong with its configuration', async () => {
  await using node = await startHauntedNode();
  await configure(node, {
    schedule: { runs: [{ cron: '61 * * * *', verb: 'fix', checks: ['iptables-ghosts'] }] },
  });

  const { exitCode, stderr } = await node.doctor(['daemon']);

  expect(stderr).toMatch(/^doctor: .*: schedule\.runs\[0\]\.cron: expected a cron expression .*\n$/);
  expect(exitCode).toBe(78);
});

/** What it logs, on standard error, is what the process here prints; the other stream is thrown away. */
function startDaemon(node: LabNode) {
  return node.start(['sh', '-c', `exec ${process.execPath} ${main} daemon 2>&1 >/dev/null`]);
}

function linesOf(log: string) {
  return log
    .trim()
    .split('\n')
    .map((line) => logLine.parse(JSON.parse(line)));
}

const logLine = z.object({ msg: z.string(), run: z.string() });
