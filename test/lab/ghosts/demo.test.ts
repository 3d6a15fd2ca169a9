/** scripts/demo, as a stranger runs it; the set-up aside, which the tests were begun with. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childOf, startProcess } from '../node/start-process.ts';

const demo = [process.execPath, fileURLToPath(new URL('../../../scripts/demo.ts', import.meta.url))];

describe('the demo', () => {
  it('shows a failing request, the diagnosis, the repair, and a second run that finds nothing', async () => {
    const { exitCode, stdout, stderr } = await startProcess(demo).ended;

    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const [, , before = '', check = '', dryRun = '', fix = '', after = '', again = ''] =
      stdout.split(/^\d\. /m);
    expect(before.match(/ no answer$/gm)).toHaveLength(6);
    expect(check).toContain('10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy)');
    expect(dryRun).toContain('-X KUBE-SVC-CDGGSHYLG3RE2FKL');
    expect(fix).toContain('Healthy again.');
    expect(after.match(/ answer from web-[12]$/gm)).toHaveLength(6);
    expect(again).toContain('Healthy.');
    // But for the exact rules and commands, it fits a terminal.
    const wide = stdout
      .split('\n')
      .filter((line) => line.length > 80 && !/^(-[AD]| {2}conntrack) /.test(line));
    expect(wide).toEqual([]);
  });

  it.each([
    ['SIGINT', 'A broken node'],
    ['SIGINT', 'What is wrong'],
    ['SIGTERM', 'Six requests'],
    ['SIGKILL', 'The repair'],
  ] as const)('leaves nothing behind when it gets a %s at "%s"', async (signal, chapter) => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const run = startProcess(demo);
    await run.waitForLine(chapter);
    // demo, setpriv that became unshare, the node's first process
    const namespaces = namespacesOf(await childOf(await childOf(run.pid)));
    expect(processesIn(namespaces)).not.toEqual([]);

    process.kill(run.pid ?? 0, signal);
    const { exitCode, stdout, stderr } = await run.ended;

    // Killed, it leaves to others what they say when the node goes from under their feet.
    if (signal !== 'SIGKILL') expect(stderr).toBe('');
    expect(exitCode).toBe(signal === 'SIGKILL' ? 137 : 130);
    if (signal !== 'SIGKILL') expect(stdout.trim().split('\n').at(-1)).toMatch(/^Interrupted\./);
    for (let attempt = 0; attempt < 100 && processesIn(namespaces).length > 0; attempt++) await delay(20);
    expect(processesIn(namespaces)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
  });
});

function namespacesOf(pid: string | number | undefined): string[] {
  return ['mnt', 'pid', 'net'].map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
}

/** Processes that are in one of the namespaces. */
function processesIn(namespaces: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return namespacesOf(pid).some((namespace) => namespaces.includes(namespace));
      } catch {
        return false; // it ended while we looked
      }
    });
}
