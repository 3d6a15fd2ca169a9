import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';

/** A root-owned folder with a root-owned file. */
function configFolder(text: string | Buffer = 'guards: {maxChanges: 7}\n') {
  const folder = mkdtempSync(join(tmpdir(), 'k3s-doctor-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text, { mode: 0o644 });
  return { folder, file };
}

test('without a file at the default place the defaults hold', async () => {
  expect(await loadConfig({ defaultPath: '/no/such/config.yaml' })).toEqual({
    config: defaultConfig(),
    source: undefined,
    lineOf: expect.any(Function),
  });
});

test('a file that was named must exist', async () => {
  await expect(loadConfig({ path: '/no/such/config.yaml' })).rejects.toMatchObject({
    name: 'DoctorError',
    code: 'config',
    message: '/no/such/config.yaml: there is no such file',
    hint: expect.stringContaining('--config'),
  });
});

// Owners can only be set by root, and a file of anybody else is refused.
describe.skipIf(process.getuid?.() !== 0)('as root', () => {
  test('the default file is read when it is there', async () => {
    const { file } = configFolder();
    const { config, source, lineOf } = await loadConfig({ defaultPath: file });
    expect(config.guards.maxChanges).toBe(7);
    expect(source).toBe(file);
    expect(lineOf(['guards', 'maxChanges'])).toBe(1);
  });

  test('the named file goes before the default one', async () => {
    const { file } = configFolder();
    const other = configFolder('guards: {maxChanges: 8}');
    const { config } = await loadConfig({ path: file, defaultPath: other.file });
    expect(config.guards.maxChanges).toBe(7);
  });

  test('a link to a safe file is followed', async () => {
    const { folder, file } = configFolder();
    symlinkSync(file, join(folder, 'link.yaml'));
    const { config } = await loadConfig({ path: join(folder, 'link.yaml') });
    expect(config.guards.maxChanges).toBe(7);
  });

  test('a byte order mark does no harm', async () => {
    const { file } = configFolder('\u{feff}guards: {maxChanges: 7}');
    expect((await loadConfig({ path: file })).config.guards.maxChanges).toBe(7);
  });

  test('a file at the default place is not passed over because it cannot be used', async () => {
    const { file } = configFolder('nonsense: 1');
    await expect(loadConfig({ defaultPath: file })).rejects.toThrow(`${file}:1: nonsense: unknown key`);
    const { folder } = configFolder();
    symlinkSync('nowhere', join(folder, 'dangling'));
    await expect(loadConfig({ defaultPath: join(folder, 'dangling') })).rejects.toThrow(
      /symbolic link to a file/,
    );
  });

  test.each([
    [0o664, 'its group'],
    [0o646, 'everybody'],
    [0o666, 'everybody'],
  ])('a file of mode %o is refused', async (mode, who) => {
    const { file } = configFolder();
    chmodSync(file, mode);
    await expect(loadConfig({ path: file })).rejects.toMatchObject({
      code: 'config',
      message: `${file}: may be written by ${who} (mode 0${mode.toString(8)}), expected by root alone`,
      hint: expect.stringContaining(`chmod go-w ${file}`),
    });
  });

  test('a file of somebody else is refused', async () => {
    const { file } = configFolder();
    chownSync(file, 1000, 0);
    await expect(loadConfig({ path: file })).rejects.toMatchObject({
      code: 'config',
      message: `${file}: belongs to user 1000, expected root`,
      hint: expect.stringContaining(`chown root:root ${file}`),
    });
  });

  test('a folder in which others could replace the file is refused', async () => {
    const { folder, file } = configFolder();
    chmodSync(folder, 0o775);
    await expect(loadConfig({ path: file })).rejects.toMatchObject({
      message: `${folder}: may be written by its group (mode 0775), expected by root alone`,
      hint: expect.stringContaining(`chmod go-w ${folder}`),
    });
    chmodSync(folder, 0o755);
    chownSync(folder, 1000, 1000);
    await expect(loadConfig({ path: file })).rejects.toThrow(`${folder}: belongs to user 1000`);
  });

  test('a folder like /tmp is accepted: others can neither rename nor replace the file there', async () => {
    const { folder, file } = configFolder();
    chmodSync(folder, 0o1777);
    await expect(loadConfig({ path: file })).resolves.toMatchObject({ source: file });
  });

  test('behind a link, both folders count', async () => {
    const safe = configFolder();
    const open = configFolder();
    chmodSync(open.folder, 0o777);
    symlinkSync(open.file, join(safe.folder, 'link'));
    symlinkSync(safe.file, join(open.folder, 'link'));
    await expect(loadConfig({ path: join(safe.folder, 'link') })).rejects.toThrow(
      `${open.folder}: may be written`,
    );
    await expect(loadConfig({ path: join(open.folder, 'link') })).rejects.toThrow(
      `${open.folder}: may be written`,
    );
  });

  test('a pipe, a folder and a device are refused without waiting', async () => {
    const { folder } = configFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    mkdirSync(join(folder, 'inner'));
    await expect(loadConfig({ path: join(folder, 'pipe') })).rejects.toThrow(
      /expected a regular file, found something/,
    );
    await expect(loadConfig({ path: join(folder, 'inner') })).rejects.toThrow(
      /expected a regular file, found a directory/,
    );
    await expect(loadConfig({ path: '/dev/null' })).rejects.toThrow(/expected a regular file/);
  });

  test('a file that is too long is refused', async () => {
    const { file } = configFolder(`#${'x'.repeat(1024 * 1024)}`);
    await expect(loadConfig({ path: file })).rejects.toThrow(
      `${file}: is 1048577 bytes long, expected at most 1048576`,
    );
  });

  test('what is not UTF-8 text is refused with its line', async () => {
    const utf16 = configFolder(Buffer.from('guards: {}', 'utf16le'));
    await expect(loadConfig({ path: utf16.file })).rejects.toMatchObject({
      message: `${utf16.file}:1: expected UTF-8 text, found a NUL byte`,
      hint: expect.stringContaining('UTF-16'),
    });
    const latin1 = configFolder(Buffer.from('# ok\n# gr\u{fc}n\n', 'latin1'));
    await expect(loadConfig({ path: latin1.file })).rejects.toThrow(
      `${latin1.file}:2: expected UTF-8 text, found bytes of another encoding`,
    );
  });
});
