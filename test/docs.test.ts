/** What the documents say is what the product does. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkIds } from '../src/checks/registry.ts';
import { exitCodes } from '../src/cli/exit-code.ts';
import { defaultConfig } from '../src/config/config.ts';
import { listSettings } from '../src/config/list-settings.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import { renderSettings } from '../src/config/render-settings.ts';
import { tools } from '../src/host/tools.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const documents = [
  'README.md',
  'fixtures/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(documents)('%s', (document) => {
  it('links to nothing that is not there', () => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = '']) => target);

    expect(links.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
  });
});

describe('README.md', () => {
  it('has 150 lines at most', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(151);
  });

  it('shows what the program prints, but for what it leaves out', () => {
    const [, args = '', shown = ''] =
      /```\n\$ doctor (check .*)\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
    const command = [join(root, 'src/cli/main.ts'), ...args.split(' ')];
    const { stdout } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });

    const parts = shown.split('[...]\n');
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(stdout).toContain(part);
  });
});

describe('docs/configuration.md', () => {
  const page = read('docs/configuration.md');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

  it('has an example that is accepted', async () => {
    const { config } = await parseConfig('example', example);
    expect(config.commands.crictl).toEqual(['/usr/local/bin/k3s', 'crictl']);
  });

  it('shows what doctor config prints for the example', async () => {
    const source = '/etc/k3s-doctor/config.yaml';
    const settings = listSettings({ ...(await parseConfig(source, example)), source });
    const [, shown = ''] = /```\n(guards:[\s\S]*?)```/.exec(page) ?? [];
    expect(renderSettings(settings)).toContain(shown);
  });

  it('names every section and every guard', () => {
    const { guards, ...sections } = defaultConfig();
    const names = [
      ...Object.keys(sections).filter((name) => !['paths', 'commandTimeoutMs'].includes(name)),
      ...Object.keys(guards).map((name) => `guards.${name}`),
    ];
    expect(names.filter((name) => !new RegExp(`^## ${name}$|\`${name}\``, 'm').test(page))).toEqual([]);
  });

  it('names every program that can be set', () => {
    const named = tools.filter((tool) => page.includes(`\`${tool.replace(/^ip6tables/, 'iptables')}\``));
    expect(named).toEqual([...tools]);
  });
});

describe('docs/exit-codes.md', () => {
  it('has a line for each exit code', () => {
    const listed = [...read('docs/exit-codes.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));

    const known = new Set([0, 1, ...Object.values(exitCodes)]);
    expect(listed).toEqual([...known].sort((a, b) => a - b));
  });
});

describe('fixtures/README.md', () => {
  it('has a line on each folder, and none on one that is gone', () => {
    const listed = [...read('fixtures/README.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
    const folders = readdirSync(join(root, 'fixtures'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);

    expect(listed.sort()).toEqual(folders.sort());
  });
});

describe.each(checkIds)('the page of %s', (id) => {
  const lines = read(`src/checks/${id}/README.md`).split('\n');

  it('is headed by its id and fits a terminal, but for tables', () => {
    expect(lines[0]).toBe(`# ${id}`);
    expect(lines.filter((line) => line.length > 80 && !line.startsWith('|'))).toEqual([]);
  });
});
