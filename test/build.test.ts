import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const recordedNode = join(root, 'fixtures/kube-proxy-legacy-then-nft');

/** A package as it would be packed, far from this repository and its node_modules. */
const folder = mkdtempSync(join(tmpdir(), 'k3s-doctor-build-'));
const program = join(folder, 'dist/doctor.js');

beforeAll(() => {
  build(join(folder, 'dist'));
  for (const name of ['package.json', 'README.md', 'LICENSE', 'docs', 'units', 'src']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the built program', () => {
  it('runs as a command from any directory', () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

    expect(run(program, ['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('diagnoses a recorded node word for word as the sources do', () => {
    const check = ['check', '--from', recordedNode];

    const built = run(program, check);

    expect(built.stdout).toContain('10.43.0.80:80/tcp default/web');
    expect(built).toEqual(run(process.execPath, [join(root, 'src/cli/main.ts'), ...check]));
    expect(built.exitCode).toBe(1);
  });

  it('explains each check with the page in its folder', () => {
    const ids = readdirSync(join(root, 'src/checks'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(ids).toContain('iptables-ghosts');

    for (const id of ids) {
      const page = readFileSync(join(root, 'src/checks', id, 'README.md'), 'utf8');
      expect(run(program, ['explain', id])).toEqual({ exitCode: 0, stdout: page, stderr: '' });
    }
  });

  it('leaves the Kubernetes client DNS and the parser of the configuration on disk until they are needed', () => {
    const loaded = loadedBy(['check', '--from', recordedNode]);

    expect(loaded).toEqual(expect.arrayContaining(['doctor.js', 'main.js']));
    expect(fileWith('@kubernetes/client-node/')).toMatch(/^transport-\w+\.js$/);
    expect(loaded).not.toContain(fileWith('@kubernetes/client-node/'));
    expect(loaded).not.toContain(fileWith('dns-packet/'));
    expect(loaded).not.toContain(fileWith('src/config/parse-config.ts'));
  });

  it('loads no check, and none of what only others need, but those that are asked for', () => {
    const loaded = loadedBy(['check', 'iptables-ghosts', '--from', recordedNode]);

    expect(loaded).toContain(fileWith('src/checks/iptables-ghosts/check.ts'));
    for (const source of [
      'src/checks/dns-forwarders/check.ts',
      'src/host/dns-exchange.ts',
      'src/host/http-get.ts',
    ])
      expect(loaded).not.toContain(fileWith(source));
  });

  it('can load the Kubernetes client when it is needed', () => {
    const importIt = `console.log(typeof (await import('./${fileWith('@kubernetes/client-node/')}')).ask)`;

    expect(run(process.execPath, ['--input-type=module', '--eval', importIt], join(folder, 'dist'))).toEqual({
      exitCode: 0,
      stdout: 'function\n',
      stderr: '',
    });
  });

  it('asks DNS servers when it is told to', () => {
    const question = { server: '127.0.0.9', port: 9, protocol: 'udp', name: '', type: 'NS', timeoutMs: 500 };

    const asked = spawnSync(program, ['ask-dns'], { input: JSON.stringify([question]), encoding: 'utf8' });

    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining('"kind":"blocked"') });
  });

  it('tells an old Node what it needs', () => {
    const oldNode = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '22.17.9' })`;

    const result = run(process.execPath, ['--import', oldNode, program, 'list']);

    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/^doctor: needs Node 22\.18 or newer, and \S+ is 22\.17\.9\n$/);
  });

  it('comes out the same, byte for byte, each time', () => {
    build(join(folder, 'again'));

    const built = contents(join(folder, 'dist'));
    expect([...built.keys()]).toContain('explain/iptables-ghosts.md');
    expect(contents(join(folder, 'again'))).toEqual(built);
  });

  it('carries the licences of what is bundled in it', () => {
    const licences = readFileSync(join(folder, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');

    for (const name of ['commander', 'execa', 'zod', '@kubernetes/client-node']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+, licence `, 'm'));
    }
  });
});

describe('the package', () => {
  it('has the program, its pages, units and documents, and no sources, tests or fixtures', () => {
    const { exitCode, stdout } = run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], folder);
    expect(exitCode).toBe(0);
    const schema = z.array(z.object({ files: z.array(z.object({ path: z.string(), mode: z.number() })) }));
    const files = schema.parse(JSON.parse(stdout)).flatMap((packed) => packed.files);

    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/doctor.js',
        'dist/explain/iptables-ghosts.md',
        'dist/THIRD-PARTY-LICENSES.txt',
        'units/k3s-doctor.service',
        'units/k3s-doctor.timer',
        'units/k3s-iptables-cleanup.service',
        'units/k3s-iptables-cleanup.timer',
        'docs/exit-codes.md',
      ]),
    );
    expect(files.filter(({ path }) => /^(src|test|fixtures|scripts|node_modules)\//.test(path))).toEqual([]);
    expect(files.find(({ path }) => path === 'dist/doctor.js')?.mode).toBe(0o755);
  });

  it('is put together as npm expects it', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, pack: false, strict: true });

    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });
});

function build(target: string): void {
  const result = run(process.execPath, [join(root, 'scripts/build.ts'), target]);
  expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
}

function run(command: string, args: readonly string[], cwd = '/') {
  const env = { PATH: process.env['PATH'], HOME: folder };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  return { exitCode: status, stdout, stderr };
}

/** The files of the build that a run loads. */
function loadedBy(args: readonly string[]): string[] {
  const hook = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process._rawDebug('loads ' + url); return next(url, context); } });`;
  const watch = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
  const { stderr } = run(process.execPath, [...watch, program, ...args]);
  return [...stderr.matchAll(/^loads file:\/\/.*\/dist\/(.*)$/gm)].map(([, name = '']) => name);
}

/** The bundler heads each part with the path of its source. */
function fileWith(source: string): string | undefined {
  const names = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.js'));
  return names.find((name) =>
    new RegExp(`^// .*${source}`, 'm').test(readFileSync(join(folder, 'dist', name), 'utf8')),
  );
}

function contents(path: string): Map<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((file) => [file.slice(path.length + 1), readFileSync(file, 'latin1')]));
}
