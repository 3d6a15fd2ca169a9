import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../host/temporary-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a check of a recorded node prints for a journal, to a file; the service manager names a journal. */
function printed(journalOf: (output: { dev: bigint; ino: bigint }) => string): readonly string[] {
  const file = join(temporaryFolder(), 'output');
  const output = openSync(file, 'w');
  try {
    const check = ['check', '--from', join(root, 'fixtures/kube-proxy-legacy-then-nft'), '--format', 'log'];
    spawnSync(process.execPath, [join(root, 'src/cli/main.ts'), ...check], {
      stdio: ['ignore', output, 'inherit'],
      env: { ...process.env, JOURNAL_STREAM: journalOf(fstatSync(output, { bigint: true })) },
    });
  } finally {
    closeSync(output);
  }
  return readFileSync(file, 'utf8').trim().split('\n');
}

test('on its way to the journal each line has a priority, which journald takes off', () => {
  const lines = printed(({ dev, ino }) => `${dev}:${ino}`);
  expect(lines).toContainEqual(
    expect.stringMatching(/^<3>iptables-ghosts: error: 10\.43\.0\.80:80\/tcp default\/web /),
  );
  expect(lines.at(-1)).toMatch(/^<6>check: \d+ problems$/);
});

test('anywhere else the lines are plain, even if something above is connected to the journal', () => {
  const lines = printed(({ dev, ino }) => `${dev}:${ino + 1n}`);
  expect(lines).toContainEqual(expect.stringMatching(/^iptables-ghosts: error: 10\.43\.0\.80:80\/tcp /));
  expect(lines.filter((line) => line.startsWith('<'))).toEqual([]);
});
