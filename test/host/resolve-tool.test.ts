import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveTool } from '../../src/host/resolve-tool.ts';
import type { Tool } from '../../src/host/tools.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

interface Machine {
  readonly programs: readonly string[];
  readonly commands?: Partial<Record<Tool, readonly string[]>>;
}

/** A machine with these programs (paths below its root), and what a tool resolves to there, paths from its root. */
function resolveOn(machine: Machine, tool: Tool) {
  const root = temporaryFolder();
  for (const program of machine.programs) fakeProgram(join(root, program), 'exit 0');
  const found = resolveTool(tool, {
    commands: machine.commands ?? {},
    k3sData: join(root, 'k3s'),
    searchPath: `${root}/sbin:${root}/bin`,
  });
  return found.kind === 'found'
    ? found.argv.map((word) => word.replace(root, ''))
    : { looked: found.looked.map((place) => place.replaceAll(root, '')) };
}

const aux = '/k3s/data/current/bin/aux';

test('a program with an explicit name on the path is used', () => {
  const programs = ['/sbin/iptables-nft-save', '/sbin/xtables-nft-multi', `${aux}/iptables-nft-save`];
  expect(resolveOn({ programs }, 'iptables-nft-save')).toEqual(['/sbin/iptables-nft-save']);
});

test('without it the multi binary is used, with a sub-command that every version knows', () => {
  const programs = ['/sbin/xtables-legacy-multi', '/sbin/xtables-nft-multi', `${aux}/iptables-legacy-save`];
  expect(resolveOn({ programs }, 'iptables-legacy-save')).toEqual([
    '/sbin/xtables-legacy-multi',
    'iptables-save',
  ]);
  expect(resolveOn({ programs }, 'ip6tables-nft-restore')).toEqual([
    '/sbin/xtables-nft-multi',
    'ip6tables-restore',
  ]);
});

test('without either, what k3s brings along is used', () => {
  expect(resolveOn({ programs: [`${aux}/ip6tables-legacy-save`] }, 'ip6tables-legacy-save')).toEqual([
    `${aux}/ip6tables-legacy-save`,
  ]);
  expect(resolveOn({ programs: [`${aux}/xtables-nft-multi`] }, 'iptables-nft-restore')).toEqual([
    `${aux}/xtables-nft-multi`,
    'iptables-restore',
  ]);
});

test('the bare iptables-save, whose backend depends on the alternatives, is never used', () => {
  const programs = ['/sbin/iptables-save', '/sbin/iptables', `${aux}/iptables-save`];
  expect(resolveOn({ programs }, 'iptables-legacy-save')).toEqual({
    looked: [
      'iptables-legacy-save in /sbin:/bin',
      'xtables-legacy-multi in /sbin:/bin',
      `${aux}/iptables-legacy-save`,
      `${aux}/xtables-legacy-multi`,
    ],
  });
});

test('a backend never falls back to the other one', () => {
  expect(resolveOn({ programs: ['/sbin/xtables-nft-multi'] }, 'iptables-legacy-save')).toHaveProperty(
    'looked',
  );
});

test.each(['conntrack', 'nft'] as const)('%s is also found among what k3s brings along', (tool) => {
  const bin = '/k3s/data/current/bin';
  expect(resolveOn({ programs: [`${bin}/${tool}`] }, tool)).toEqual([`${bin}/${tool}`]);
  expect(resolveOn({ programs: [`${bin}/${tool}`, `${aux}/${tool}`] }, tool)).toEqual([`${aux}/${tool}`]);
  expect(resolveOn({ programs: [`${aux}/${tool}`, `/bin/${tool}`] }, tool)).toEqual([`/bin/${tool}`]);
});

test("crictl: k3s' own copy first, as the others may unpack another k3s, then crictl, then k3s crictl", () => {
  const bundled = '/k3s/data/current/bin/crictl';
  expect(resolveOn({ programs: ['/bin/crictl', '/bin/k3s', bundled] }, 'crictl')).toEqual([bundled]);
  expect(resolveOn({ programs: ['/bin/crictl', '/bin/k3s'] }, 'crictl')).toEqual(['/bin/crictl']);
  expect(resolveOn({ programs: ['/bin/k3s'] }, 'crictl')).toEqual(['/bin/k3s', 'crictl']);
});

test("crictl is told k3s' runtime when k3s says which it is", () => {
  const settings = '/k3s/agent/etc/crictl.yaml';
  expect(resolveOn({ programs: [settings, '/bin/crictl'] }, 'crictl')).toEqual([
    '/bin/crictl',
    '--config',
    settings,
  ]);
  expect(resolveOn({ programs: [settings, '/bin/k3s'] }, 'crictl')).toEqual([
    '/bin/k3s',
    'crictl',
    '--config',
    settings,
  ]);
});

test('a configured command line is used as it is', () => {
  const configured = ['/usr/bin/env', 'FOO=1', 'nft'];
  expect(resolveOn({ programs: ['/sbin/nft'], commands: { nft: configured } }, 'nft')).toEqual(configured);
});

test('a configured program that is missing is not replaced by another', () => {
  const commands = { nft: ['/no/such/nft', '-d'] };
  expect(resolveOn({ programs: ['/sbin/nft'], commands }, 'nft')).toEqual({ looked: ['/no/such/nft'] });
});

test('folders and files that cannot be executed are passed over', () => {
  const root = temporaryFolder();
  mkdirSync(join(root, 'a/nft'), { recursive: true });
  mkdirSync(join(root, 'b'));
  writeFileSync(join(root, 'b/nft'), 'text', { mode: 0o644 });
  const program = fakeProgram(join(root, 'c/nft'), 'exit 0');
  const searchPath = ['a', 'b', 'c'].map((name) => join(root, name)).join(':');
  expect(resolveTool('nft', { commands: {}, k3sData: root, searchPath })).toEqual({
    kind: 'found',
    argv: [program],
  });
});
