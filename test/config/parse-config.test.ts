import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { DoctorError } from '../../src/doctor-error.ts';

/** The lines that refuse a text. */
function refusalOf(text: string): readonly string[] {
  try {
    parseConfig('c.yaml', text);
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
    expect(error.code).toBe('config');
    return error.message.split('\n');
  }
  return [];
}

test.each([
  ['nothing', ''],
  ['comments', '# paths:\n'],
  [
    'sections of which every line is commented out',
    'paths:\n  # state: /x\nchecks:\n  iptables-ghosts:\ncommands:\n',
  ],
])('%s: the defaults hold', (_, text) => {
  expect(parseConfig('c.yaml', text)).toEqual(defaultConfig());
});

test('everything can be set', () => {
  const text = `
paths: {state: /s, run: /r/, k3sData: /k//3s, k3sRun: /kr, ipam: /i}
commands:
  crictl: /opt/crictl
  nft: [/usr/bin/env, FOO=1, nft]
kubeconfig: /etc/kube
guards: {maxChanges: 5}
commandTimeoutMs: 60000
checks:
  iptables-ghosts: {networks: [cbr0, my-net], probe: false}
`;
  expect(parseConfig('c.yaml', text)).toEqual({
    paths: { state: '/s', run: '/r', k3sData: '/k/3s', k3sRun: '/kr', ipam: '/i' },
    commands: { crictl: ['/opt/crictl'], nft: ['/usr/bin/env', 'FOO=1', 'nft'] },
    kubeconfig: '/etc/kube',
    guards: { maxChanges: 5 },
    commandTimeoutMs: 60_000,
    checks: { 'iptables-ghosts': { networks: ['cbr0', 'my-net'], probe: false } },
  });
});

test('what is not set keeps its default', () => {
  const config = parseConfig('c.yaml', 'paths: {state: /s}');
  expect(config).toEqual({ ...defaultConfig(), paths: { ...defaultConfig().paths, state: '/s' } });
  expect('kubeconfig' in config).toBe(false);
  expect('networks' in config.checks['iptables-ghosts']).toBe(false);
});

test('a value of another kind: file, line, key, what was expected, what was found', () => {
  expect(refusalOf('# one\n\npaths: {}\n\nguards:\n  # two\n  maxChanges: many\n')).toEqual([
    'c.yaml:7: guards.maxChanges: expected a whole number above 0, found "many"',
  ]);
});

test.each([
  ['guards: {maxChanges: 0}', 'guards.maxChanges: expected a whole number above 0, found 0'],
  ['guards: {maxChanges: 1.5}', 'guards.maxChanges: expected a whole number above 0, found 1.5'],
  ['guards: {maxChanges: }', 'guards.maxChanges: expected a whole number above 0, found nothing'],
  ['guards: 3', 'guards: expected a mapping of keys to values, found 3'],
  ['commandTimeoutMs: 999', 'commandTimeoutMs: expected a whole number from 1000 to 600000, found 999'],
  ['commandTimeoutMs: 600001', 'commandTimeoutMs: expected a whole number from 1000 to 600000, found 600001'],
  ['paths: {state: var/lib}', 'paths.state: expected an absolute path, found "var/lib"'],
  ['kubeconfig: [/a]', 'kubeconfig: expected an absolute path, found a list'],
  ['kubeconfig: "/a\\0b"', 'kubeconfig: expected an absolute path, found "/a\\u0000b"'],
  [
    'commands: {nft: nft}',
    'commands.nft: expected an absolute path, or a list of words that begins with one, found "nft"',
  ],
  [
    'commands: {crictl: [k3s, crictl]}',
    'commands.crictl: expected an absolute path, or a list of words that begins with one, found a list',
  ],
  [
    'commands: {crictl: [/k3s, 1]}',
    'commands.crictl: expected an absolute path, or a list of words that begins with one, found a list',
  ],
  [
    'commands: {crictl: []}',
    'commands.crictl: expected an absolute path, or a list of words that begins with one, found an empty list',
  ],
  [
    'checks: {iptables-ghosts: {probe: yes}}',
    'checks.iptables-ghosts.probe: expected true or false, found "yes"',
  ],
  [
    'checks: {iptables-ghosts: {networks: [ok, ../x]}}',
    'checks.iptables-ghosts.networks[1]: expected a network name (letters, digits and _.- after a letter or digit), found "../x"',
  ],
  [
    'checks: {iptables-ghosts: {networks: []}}',
    'checks.iptables-ghosts.networks: expected at least one network name, found an empty list',
  ],
  ['- paths', 'expected a mapping of keys to values, found a list'],
  ['just text', 'expected a mapping of keys to values, found "just text"'],
])('%j is refused', (text, message) => {
  expect(refusalOf(text)).toEqual([`c.yaml:1: ${message}`]);
});

test.each([
  ['gaurds: {}', 'gaurds: unknown key; did you mean guards?'],
  ['guards: {maxchange: 1}', 'guards.maxchange: unknown key; did you mean maxChanges?'],
  [
    'commands: {iptables-nft-sav: /x}',
    'commands.iptables-nft-sav: unknown key; did you mean iptables-nft-save?',
  ],
  ['checks: {ghosts: {}}', 'checks.ghosts: unknown key; known here: iptables-ghosts'],
  ['paths: {1: /x}', 'paths.1: unknown key; known here: state, run, k3sData, k3sRun, ipam'],
  [
    '__proto__: {a: 1}',
    '__proto__: unknown key; known here: paths, commands, kubeconfig, guards, commandTimeoutMs, checks',
  ],
  [
    '<<: {a: 1}',
    '<<: unknown key; known here: paths, commands, kubeconfig, guards, commandTimeoutMs, checks',
  ],
])('unknown keys are refused with the one that was meant, or those there are: %j', (text, message) => {
  expect(refusalOf(text)).toEqual([`c.yaml:1: ${message}`]);
});

test('all problems are told at once, in the order of their lines', () => {
  const text = 'kubeconfig: x\nguards:\n  maxChanges: -1\n  max: 2\npaths:\n  - a\nfoo: 1\n';
  expect(refusalOf(text).map((line) => line.replace(/: expected.*|: unknown.*/, ''))).toEqual([
    'c.yaml:1: kubeconfig',
    'c.yaml:3: guards.maxChanges',
    'c.yaml:4: guards.max',
    'c.yaml:5: paths',
    'c.yaml:7: foo',
  ]);
});

test('of very many problems the first are told', () => {
  const lines = refusalOf(Array.from({ length: 25 }, (_, index) => `key${index}: 1`).join('\n'));
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('c.yaml: and 5 more');
});

test.each([
  ['an open bracket', 'paths: {state: /x\n', /^c\.yaml:2: not valid YAML: /],
  ['a tab as indentation', 'paths:\n\tstate: /x', /^c\.yaml:2: not valid YAML: Tabs/],
  ['a key given twice', 'guards:\n  maxChanges: 1\n  maxChanges: 2', /^c\.yaml:3: this key is given twice/],
  [
    'two documents',
    'guards: {}\n---\nguards: {}',
    /^c\.yaml:2: a second document begins here, expected one$/,
  ],
  ['an alias', 'paths:\n  state: &a /x\n  run: *a', /^c\.yaml:3: expected the value itself, found an alias/],
  ['an alias to nothing', 'kubeconfig: *a', /^c\.yaml:1: expected the value itself, found an alias/],
  ['an unknown tag', 'guards: {}\nkubeconfig: !secret x', /^c\.yaml:2: .*tag/],
  ['a binary value', 'kubeconfig: !!binary aGk=', /^c\.yaml:1: expected a plain value, found the tag/],
  ['a mapping as key', '{a: 1}: 2', /^c\.yaml:1: expected a name as key, found a list or a mapping$/],
  ['very deep nesting', '['.repeat(50_000), /^c\.yaml:1: is nested too deeply$/],
])('%s is refused with its line', (_, text, message) => {
  expect(refusalOf(text)).toEqual([expect.stringMatching(message)]);
});

test('a bomb of aliases costs nothing', () => {
  const level = (name: string, inner: string) => `${name}: &${name} [${`*${inner}, `.repeat(9)}]`;
  const names = [...'bcdefghijklm'];
  const text = ['a: &a [x]', ...names.map((name, index) => level(name, 'abcdefghijkl'[index] ?? 'a'))].join(
    '\n',
  );
  const before = Date.now();
  expect(refusalOf(text)).toEqual([expect.stringMatching(/^c\.yaml:2: .* alias/)]);
  expect(Date.now() - before).toBeLessThan(1000);
});
