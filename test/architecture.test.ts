import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '../src');
const error = /^doctor-error\.ts$/;

/** What the files of a folder may import besides each other, below src/. The table in docs/architecture.md, checked. */
const mayImport: Readonly<Record<string, readonly RegExp[]>> = {
  cli: [/^/],
  config: [error, /^host\/(tools|system-error)\.ts$/],
  host: [error],
  netfilter: [],
  coredns: [],
  kube: [error, /^host\/host\.ts$/],
  facts: [error, /^host\/(host|tools)\.ts$/, /^(netfilter|kube|engine|coredns)\//, /^config\/config\.ts$/],
  checks: [error, /^(facts|netfilter|engine|coredns)\//, /^config\/config\.ts$/],
  probes: [error, /^host\/(host|tools)\.ts$/, /^(engine|facts|kube|netfilter)\//, /^config\/config\.ts$/],
  install: [error, /^host\/(host|tools)\.ts$/, /^engine\//, /^config\/config\.ts$/],
  engine: [error, /^host\/(host|tools)\.ts$/, /^(netfilter|coredns)\//, /^config\/config\.ts$/],
  report: [/^(engine|netfilter)\//],
  'doctor-error.ts': [],
};

/** Which folders may open files, start processes and use the network, and with what. */
const doors: Readonly<Record<string, RegExp>> = {
  host: /^(execa|node:(fs|fs\/promises|child_process|dgram|http|net|os|tls))$/,
  kube: /^node:(fs|fs\/promises|net|http|https|tls)$/,
  config: /^node:fs$/,
  cli: /^node:fs\/promises$/,
};
const touchesMachine =
  /^(execa$|node:(fs|child_process|cluster|dgram|dns|http|http2|https|inspector|net|os|tls|worker_threads)\b)/;

const files = globSync('**/*.ts', { cwd: src });
const imports = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport|\brequire) ?\(?\s*['"`]([^'"`]+)['"`]/g);
  return [...found].map(([, name = '']) => ({
    file,
    to: name.startsWith('.') ? posix.join(posix.dirname(file), name) : name,
  }));
});
const inner = imports.filter(({ to }) => files.includes(to) || to.startsWith('.'));

function folderOf(file: string): string {
  return file.split('/')[0] ?? '';
}

test('every folder imports only what its line in the table allows', () => {
  const forbidden = inner.filter(
    ({ file, to }) =>
      folderOf(file) !== folderOf(to) && !mayImport[folderOf(file)]?.some((allowed) => allowed.test(to)),
  );
  expect(forbidden).toEqual([]);
});

test('checks do not import each other, and only the registry imports checks', () => {
  const checkOf = (file: string) => /^checks\/([^/]+)\//.exec(file)?.[1];
  const sideways = inner.filter(
    ({ file, to }) =>
      checkOf(to) !== undefined && checkOf(file) !== checkOf(to) && file !== 'checks/registry.ts',
  );
  expect(sideways).toEqual([]);
});

test('only host touches the machine, and kube, config and cli for what they are there for', () => {
  const wild = imports.filter(({ file, to }) => touchesMachine.test(to) && !doors[folderOf(file)]?.test(to));
  expect(wild).toEqual([]);
});

test('no file imports itself over others', () => {
  const graph = Map.groupBy(inner, ({ file }) => file);
  const reached = (file: string, seen: Set<string>): Set<string> => {
    for (const { to } of graph.get(file) ?? []) if (!seen.has(to)) reached(to, seen.add(to));
    return seen;
  };
  expect(files.filter((file) => reached(file, new Set()).has(file))).toEqual([]);
});

test('every import is seen: each file has some, or is known to have none', () => {
  const without = files.filter((file) => !imports.some((each) => each.file === file));
  expect(files.length).toBeGreaterThan(80);
  for (const file of without)
    expect(readFileSync(join(src, file), 'utf8')).not.toMatch(/^\s*(import|export)\b.* from /m);
});
