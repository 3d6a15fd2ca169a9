import { expect, test } from 'vitest';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { DoctorError } from '../../src/doctor-error.ts';

async function configOf(text: string): Promise<Config> {
  return (await parseConfig('c.yaml', text)).config;
}

/** The lines that refuse a text. */
async function refusalOf(text: string): Promise<readonly string[]> {
  try {
    await parseConfig('c.yaml', text);
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
])('%s: the defaults hold', async (_, text) => {
  expect(await configOf(text)).toEqual(defaultConfig());
});

/** As messages list them. */
const ids = Object.keys(defaultConfig().checks).join(', ');

test('everything can be set', async () => {
  const text = `
paths: {state: /s, run: /r/, k3sData: /k//3s, k3sRun: /kr, ipam: /i}
commands:
  crictl: /opt/crictl
  nft: [/usr/bin/env, FOO=1, nft]
kubeconfig: /etc/kube
guards:
  maxChanges: 5
  strikes: 1
  cooldownMinutes: 0
  attempts: 7
  breaker: {failures: 8, minutes: 9}
  confirmSeconds: 30
  probes: {api: false, ssh: false, dns: false, peer: false}
  adminNetworks: [192.0.2.1, 198.51.100.0/24, 2001:db8::/32]
schedule:
  jitterSeconds: 0
  runs:
    - {cron: "*/10 * * * *", verb: fix, checks: [iptables-ghosts]}
    - {cron: "@daily", verb: check}
history: {runs: 1, megabytes: 2}
commandTimeoutMs: 60000
checks:
  iptables-ghosts: {mode: off, maxChanges: 3, networks: [cbr0, my-net], probe: false}
  forward-rules: {mode: report}
  ufw-overlay: {mode: report, profiles: [ipsec, ipsec-ah, docker-overlay], peers: [192.0.2.7, "2001:db8::7"], prune: true}
  world-open: {mode: off}
  flannel-vtep: {mode: report, probe: false}
  essential-flows: {mode: off}
  coredns-placement: {mode: report, nodes: [one, two.example], selector: {disk: ssd}, persist: skip-file, rolloutSeconds: 30}
  dns-forwarders: {mode: off, candidates: [192.0.2.1, "2001:db8::1"], providers: {mine: [192.0.2.2], ovh: []}, name: ., slowMs: 1, reloadSeconds: 60}
  coredns-health: {mode: off}
  host-dns: {mode: off, names: [git.example.org]}
`;
  expect(await configOf(text)).toEqual({
    paths: { state: '/s', run: '/r', k3sData: '/k/3s', k3sRun: '/kr', ipam: '/i' },
    commands: { crictl: ['/opt/crictl'], nft: ['/usr/bin/env', 'FOO=1', 'nft'] },
    kubeconfig: '/etc/kube',
    guards: {
      maxChanges: 5,
      strikes: 1,
      cooldownMinutes: 0,
      attempts: 7,
      breaker: { failures: 8, minutes: 9 },
      confirmSeconds: 30,
      probes: { api: false, ssh: false, dns: false, peer: false },
      adminNetworks: ['192.0.2.1', '198.51.100.0/24', '2001:db8::/32'],
    },
    schedule: {
      jitterSeconds: 0,
      runs: [
        { cron: '*/10 * * * *', verb: 'fix', checks: ['iptables-ghosts'] },
        { cron: '@daily', verb: 'check' },
      ],
    },
    history: { runs: 1, megabytes: 2 },
    commandTimeoutMs: 60_000,
    checks: {
      'iptables-ghosts': { mode: 'off', maxChanges: 3, networks: ['cbr0', 'my-net'], probe: false },
      'forward-rules': { mode: 'report' },
      'ufw-overlay': {
        mode: 'report',
        profiles: ['ipsec', 'ipsec-ah', 'docker-overlay'],
        peers: ['192.0.2.7', '2001:db8::7'],
        prune: true,
      },
      'world-open': { mode: 'off' },
      'flannel-vtep': { mode: 'report', probe: false },
      'essential-flows': { mode: 'off' },
      'coredns-placement': {
        mode: 'report',
        nodes: ['one', 'two.example'],
        selector: { disk: 'ssd' },
        persist: 'skip-file',
        rolloutSeconds: 30,
      },
      'dns-forwarders': {
        mode: 'off',
        candidates: ['192.0.2.1', '2001:db8::1'],
        providers: {
          ...defaultConfig().checks['dns-forwarders'].providers,
          mine: ['192.0.2.2'],
          ovh: [],
        },
        name: '.',
        slowMs: 1,
        reloadSeconds: 60,
      },
      'coredns-health': { mode: 'off' },
      'host-dns': { mode: 'off', names: ['git.example.org'] },
    },
  });
});

test('what is not set keeps its default', async () => {
  const config = await configOf('paths: {state: /s}\nguards: {breaker: {failures: 9}}');
  const { paths, guards, ...others } = defaultConfig();
  expect(config).toEqual({
    ...others,
    paths: { ...paths, state: '/s' },
    guards: { ...guards, breaker: { ...guards.breaker, failures: 9 } },
  });
  expect('kubeconfig' in config).toBe(false);
  expect('networks' in config.checks['iptables-ghosts']).toBe(false);
  expect('maxChanges' in config.checks['iptables-ghosts']).toBe(false);
});

test('it is known which line says what, and what is left out', async () => {
  const text =
    'guards:\n  strikes: 3\n  breaker:\nschedule:\n  runs:\n    - cron: "@daily"\n      verb: check\n';
  const { lineOf } = await parseConfig('c.yaml', text);
  expect(lineOf(['guards', 'strikes'])).toBe(2);
  expect(lineOf(['schedule', 'runs', 0])).toBe(6);
  expect(lineOf(['schedule', 'runs', 0, 'verb'])).toBe(7);
  expect(lineOf(['guards', 'breaker'])).toBeUndefined();
  expect(lineOf(['guards', 'attempts'])).toBeUndefined();
  expect(lineOf(['schedule', 'runs', 1])).toBeUndefined();
});

test('a value of another kind: file, line, key, what was expected, what was found', async () => {
  expect(await refusalOf('# one\n\npaths: {}\n\nguards:\n  # two\n  maxChanges: many\n')).toEqual([
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
  [
    'checks: {iptables-ghosts: {mode: on}}',
    'checks.iptables-ghosts.mode: expected off, report or fix, found "on"',
  ],
  [
    'checks: {iptables-ghosts: {maxChanges: 0}}',
    'checks.iptables-ghosts.maxChanges: expected a whole number above 0, found 0',
  ],
  ['guards: {strikes: 0}', 'guards.strikes: expected a whole number from 1 to 100, found 0'],
  [
    'guards: {cooldownMinutes: -1}',
    'guards.cooldownMinutes: expected a whole number from 0 to 44640, found -1',
  ],
  ['guards: {attempts: 0}', 'guards.attempts: expected a whole number from 1 to 100, found 0'],
  [
    'guards: {breaker: {failures: 0}}',
    'guards.breaker.failures: expected a whole number from 1 to 100, found 0',
  ],
  [
    'guards: {breaker: {minutes: 0}}',
    'guards.breaker.minutes: expected a whole number from 1 to 44640, found 0',
  ],
  [
    'guards: {confirmSeconds: 29}',
    'guards.confirmSeconds: expected a whole number from 30 to 3600, found 29',
  ],
  [
    'guards: {confirmSeconds: 3601}',
    'guards.confirmSeconds: expected a whole number from 30 to 3600, found 3601',
  ],
  ['guards: {probes: {ssh: 1}}', 'guards.probes.ssh: expected true or false, found 1'],
  [
    'schedule: {jitterSeconds: 3601}',
    'schedule.jitterSeconds: expected a whole number from 0 to 3600, found 3601',
  ],
  ['schedule: {runs: []}', 'schedule.runs: expected at least one run, found an empty list'],
  ['schedule: {runs: {}}', 'schedule.runs: expected a list of runs, found a mapping'],
  ['schedule: {runs: [daily]}', 'schedule.runs[0]: expected a mapping of keys to values, found "daily"'],
  ['schedule: {runs: [{cron: "@daily"}]}', 'schedule.runs[0].verb: expected check or fix, found nothing'],
  [
    'schedule: {runs: [{cron: "@daily", verb: undo}]}',
    'schedule.runs[0].verb: expected check or fix, found "undo"',
  ],
  [
    'schedule: {runs: [{cron: "@daily", verb: fix, checks: [ghosts]}]}',
    `schedule.runs[0].checks[0]: expected a check (${ids}), found "ghosts"`,
  ],
  [
    'schedule: {runs: [{cron: "@daily", verb: fix, checks: [toString]}]}',
    `schedule.runs[0].checks[0]: expected a check (${ids}), found "toString"`,
  ],
  [
    'schedule: {runs: [{cron: "@daily", verb: fix, checks: []}]}',
    'schedule.runs[0].checks: expected at least one check, found an empty list',
  ],
  ['history: {runs: 0}', 'history.runs: expected a whole number from 1 to 100000, found 0'],
  ['history: {megabytes: 0}', 'history.megabytes: expected a whole number from 1 to 1000000, found 0'],
  ['- paths', 'expected a mapping of keys to values, found a list'],
  ['just text', 'expected a mapping of keys to values, found "just text"'],
])('%j is refused', async (text, message) => {
  expect(await refusalOf(text)).toEqual([`c.yaml:1: ${message}`]);
});

test.each(['61 * * * *', '* * * *', 'daily', '@reboot', '', '0 0 30 2 *', '0 0 L-30 2 *'])(
  'a cron expression that the library refuses, or that never comes, is refused: %j',
  async (cron) => {
    const text = `schedule:\n  runs:\n    - verb: fix\n      cron: "${cron}"`;
    expect(await refusalOf(text)).toEqual([
      `c.yaml:4: schedule.runs[0].cron: expected a cron expression like "*/5 * * * *" (minute, hour, day of month, month, day of week), found "${cron}"`,
    ]);
  },
);

test.each([
  ['guards: {breaker: {minute: 1}}', 'guards.breaker.minute: unknown key; did you mean minutes?'],
  [
    'schedule: {runs: [{cron: "@daily", verb: fix, check: []}]}',
    'schedule.runs[0].check: unknown key; did you mean checks?',
  ],
  ['checks: {iptables-ghosts: {mod: off}}', 'checks.iptables-ghosts.mod: unknown key; did you mean mode?'],
  ['gaurds: {}', 'gaurds: unknown key; did you mean guards?'],
  ['guards: {maxchange: 1}', 'guards.maxchange: unknown key; did you mean maxChanges?'],
  [
    'commands: {iptables-nft-sav: /x}',
    'commands.iptables-nft-sav: unknown key; did you mean iptables-nft-save?',
  ],
  ['checks: {ghosts: {}}', `checks.ghosts: unknown key; known here: ${ids}`],
  ['paths: {1: /x}', 'paths.1: unknown key; known here: state, run, k3sData, k3sRun, ipam'],
  [
    '__proto__: {a: 1}',
    '__proto__: unknown key; known here: paths, commands, kubeconfig, guards, schedule, history, commandTimeoutMs, checks',
  ],
  [
    '<<: {a: 1}',
    '<<: unknown key; known here: paths, commands, kubeconfig, guards, schedule, history, commandTimeoutMs, checks',
  ],
])('unknown keys are refused with the one that was meant, or those there are: %j', async (text, message) => {
  expect(await refusalOf(text)).toEqual([`c.yaml:1: ${message}`]);
});

test('all problems are told at once, in the order of their lines', async () => {
  const text = 'kubeconfig: x\nguards:\n  maxChanges: -1\n  max: 2\npaths:\n  - a\nfoo: 1\n';
  expect((await refusalOf(text)).map((line) => line.replace(/: expected.*|: unknown.*/, ''))).toEqual([
    'c.yaml:1: kubeconfig',
    'c.yaml:3: guards.maxChanges',
    'c.yaml:4: guards.max',
    'c.yaml:5: paths',
    'c.yaml:7: foo',
  ]);
});

test('of very many problems the first are told', async () => {
  const lines = await refusalOf(Array.from({ length: 25 }, (_, index) => `key${index}: 1`).join('\n'));
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
])('%s is refused with its line', async (_, text, message) => {
  expect(await refusalOf(text)).toEqual([expect.stringMatching(message)]);
});

test('a bomb of aliases costs nothing', async () => {
  const level = (name: string, inner: string) => `${name}: &${name} [${`*${inner}, `.repeat(9)}]`;
  const names = [...'bcdefghijklm'];
  const text = ['a: &a [x]', ...names.map((name, index) => level(name, 'abcdefghijkl'[index] ?? 'a'))].join(
    '\n',
  );
  const before = Date.now();
  expect(await refusalOf(text)).toEqual([expect.stringMatching(/^c\.yaml:2: .* alias/)]);
  expect(Date.now() - before).toBeLessThan(1000);
});
