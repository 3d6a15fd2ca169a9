/**
 * Makes the installable program: `node scripts/build.ts [folder]`, default dist/.
 *
 * Everything is bundled, so that an installation needs Node and nothing else. What few runs need
 * (the Kubernetes client, the parser of the configuration) stays in files of its own that are loaded
 * when they are asked for. Not minified: ten runs of each showed no difference at start, and a stack
 * trace from a node should be readable. The same sources always give the same bytes.
 */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? join(root, 'dist'));
await rm(target, { recursive: true, force: true });
const metafile = await bundle();
await writeFile(join(target, 'doctor.js'), await launcher(), { mode: 0o755 });
await copyPages();
await writeFile(join(target, 'THIRD-PARTY-LICENSES.txt'), await licences(metafile));

async function bundle(): Promise<Metafile> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: target,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    splitting: true,
    chunkNames: '[name]-[hash]',
    legalComments: 'eof',
    metafile: true,
    logLevel: 'warning',
    // Packages that are still CommonJS call `require`, which an ES module does not have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return result.metafile;
}

/** What the command runs first. It has to be understood by any Node, to say that a newer one is needed. */
async function launcher(): Promise<string> {
  const schema = z.object({ engines: z.object({ node: z.string() }) });
  const { engines } = schema.parse(await readJson('package.json'));
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
  if (major === undefined || minor === undefined) throw new Error(`cannot read engines.node ${engines.node}`);
  // With many Services most of what is read is garbage at once. Left alone V8 lets it pile up, because
  // the machine has room; the node's operator would rather have that for his pods.
  return `#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=40
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  console.error(\`doctor: needs Node ${major}.${minor} or newer, and \${process.execPath} is \${process.versions.node}\`);
  process.exitCode = 2;
} else {
  await import('./main.js');
}
`;
}

/** `doctor explain ID` looks for its pages beside the bundle. */
async function copyPages(): Promise<void> {
  await mkdir(join(target, 'explain'));
  const folders = await readdir(join(root, 'src/checks'), { withFileTypes: true });
  for (const { name } of folders.filter((entry) => entry.isDirectory())) {
    await copyFile(join(root, 'src/checks', name, 'README.md'), join(target, 'explain', `${name}.md`));
  }
}

/** The licences of the packages in the bundle ask to travel with it. */
async function licences({ outputs }: Metafile): Promise<string> {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = new Set(used.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const texts = await Promise.all([...folders].sort().map(licence));
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

async function licence(folder: string): Promise<string> {
  const schema = z.object({ name: z.string(), version: z.string(), license: z.string() });
  const about = schema.parse(await readJson(join(folder, 'package.json')));
  const names = (await readdir(join(root, folder)))
    .filter((name) => /^(licen[cs]e|notice)/i.test(name))
    .sort();
  const texts = await Promise.all(names.map((name) => readFile(join(root, folder, name), 'utf8')));
  return [`${about.name} ${about.version}, licence ${about.license}\n`, ...texts].join('\n');
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(root, path), 'utf8'));
}
