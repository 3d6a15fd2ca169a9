import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/parse-config.ts';
import { temporaryFolder } from '../host/temporary-folder.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const doctor = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });

function configFile(text: string): string {
  const file = join(temporaryFolder(), 'config.yaml');
  writeFileSync(file, text, { mode: 0o644 });
  return file;
}

// A file of anybody but root is refused.
test.skipIf(process.getuid?.() !== 0)('what is printed can be pasted into a file', async () => {
  const file = configFile('guards:\n  strikes: 3\n');

  const { stdout, stderr, status } = doctor('config', '--config', file, '--kubeconfig', 'mine.yaml');

  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(stdout).toMatch(/^ {2}maxChanges: 50000 +# default$/m);
  expect(stdout).toContain(`# ${file}:2\n`);
  expect(stdout).toMatch(/^kubeconfig: \/.*\/mine\.yaml +# --kubeconfig$/m);
  const { config } = await parseConfig('pasted', stdout);
  expect(config.guards.strikes).toBe(3);
  expect(config.kubeconfig).toBe(join(process.cwd(), 'mine.yaml'));
});

test.skipIf(process.getuid?.() !== 0)('for programs it is a list', () => {
  const file = configFile('guards:\n  strikes: 3\n');

  const { stdout } = doctor('config', '--config', file, '--format', 'json');

  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      { key: 'guards.strikes', value: 3, source: file, line: 2 },
      { key: 'guards.attempts', value: 3, source: 'default', line: null },
    ]),
  );
});

test('a file that cannot be used is refused as by every command', () => {
  const { stdout, stderr, status } = doctor('config', '--config', '/no/such/file');

  expect({ stdout, status }).toEqual({ stdout: '', status: 78 });
  expect(stderr).toMatch(/^doctor: \/no\/such\/file: there is no such file; .*\n$/);
});
