import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reportSchema } from '../../src/report/report-schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const check = ['check', '--from', join(root, 'fixtures/kube-proxy-legacy-then-nft')];
const explain = ['explain', 'iptables-ghosts'];

test.each([
  { args: check, exitCode: 1 },
  { args: explain, exitCode: 0 },
])('that nobody reads what $args.0 prints is no fault, and changes no exit code', async (each) => {
  const child = start(each.args, 'pipe');
  child.stdout?.destroy();
  expect(await endOf(child)).toEqual({ exitCode: each.exitCode, stdout: '', stderr: '' });
});

test.each([
  { args: check, exitCode: 1 },
  { args: explain, exitCode: 0 },
])('what $args.0 cannot print is one line, and the exit code stays', async (each) => {
  const full = openSync('/dev/full', 'w');
  const child = start(each.args, full);
  closeSync(full);
  expect(await endOf(child)).toEqual({
    exitCode: each.exitCode,
    stdout: '',
    stderr: 'doctor: cannot write to standard output: no space left on the device\n',
  });
});

test('a report that does not fit where it was to go is printed instead', async () => {
  const child = start([...check, '--format', 'json', '--output', '/dev/full'], 'pipe');
  const { exitCode, stdout, stderr } = await endOf(child);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      'doctor: cannot write /dev/full: no space left on the device; the report goes to standard output\n',
  });
  expect(reportSchema().parse(JSON.parse(stdout))).toMatchObject({ exitCode: 1 });
});

function start(args: readonly string[], stdout: 'pipe' | number) {
  return spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
    stdio: ['ignore', stdout, 'pipe'],
  });
}

async function endOf(child: ReturnType<typeof start>) {
  const [stdout, stderr, [exitCode]] = await Promise.all([
    child.stdout === null || child.stdout.destroyed ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'exit'),
  ]);
  return { exitCode, stdout, stderr };
}
