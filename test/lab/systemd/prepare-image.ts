import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../node/start-process.ts';

/** What a lab's Debian is made of. */
export interface Image {
  /** A folder with a Debian or Ubuntu, that nobody may write to. */
  readonly root: string;
  /** What `npm install --global` made of this package: `lib/` and `bin/`, as below /usr/local. */
  readonly product: string;
  remove(): Promise<void>;
}

/**
 * Builds the product, packs it and lets npm install it: some 2 s. The root is built when there is none
 * of this week: some 30 s more, and the machine's package mirror is needed.
 *
 * @throws Error with what the failing program said.
 */
export async function prepareImage(): Promise<Image> {
  const [root, product] = await Promise.all([run([join(repository, 'scripts/lab-root')]), installProduct()]);
  return { root: root.trimEnd(), product, remove: () => rm(product, { recursive: true, force: true }) };
}

/** The same without the product, for tests that bring their own program. */
export async function prepareBareImage(): Promise<Image> {
  const product = await mkdtemp(join(tmpdir(), 'k3s-doctor-lab-'));
  await Promise.all(
    ['bin', 'lib/node_modules/k3s-doctor'].map((path) => mkdir(join(product, path), { recursive: true })),
  );
  const root = await run([join(repository, 'scripts/lab-root')]);
  return { root: root.trimEnd(), product, remove: () => rm(product, { recursive: true, force: true }) };
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** In a copy: building in the repository would change what others are using right now. */
async function installProduct(): Promise<string> {
  const prefix = await mkdtemp(join(tmpdir(), 'k3s-doctor-lab-'));
  const folder = join(prefix, 'package');
  await Promise.all([
    run([process.execPath, join(repository, 'scripts/build.ts'), join(folder, 'dist')]),
    ...['package.json', 'README.md', 'LICENSE', 'docs', 'units'].map((name) =>
      cp(join(repository, name), join(folder, name), { recursive: true }),
    ),
  ]);
  const archive = await run([
    'npm',
    'pack',
    folder,
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    prefix,
  ]);
  await run(['npm', 'install', '--global', '--offline', '--prefix', prefix, join(prefix, archive.trimEnd())]);
  return prefix;
}

async function run(command: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await startProcess(command, { input: '' }).ended;
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${exitCode}, ${stderr || stdout}`);
  return stdout;
}
