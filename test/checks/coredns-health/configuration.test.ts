import { expect, test } from 'vitest';
import { codesOf, corefileWith, crashing, diagnose, pod } from './cluster.ts';

const path = '/etc/coredns/custom/a.override';
// As CoreDNS 1.12.3 says it, but for the names of files.
const refusedLog = `.:53
[INFO] plugin/reload: Running configuration SHA512 = bab778
[INFO] Reloading
[ERROR] Restart failed: ${path}:2 - Error during parsing: Unknown directive 'fowrard'
[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: ${path}:2 - Error during parsing: Unknown directive 'fowrard'
`;
const repairedLog = `${refusedLog}[INFO] Reloading
[INFO] plugin/reload: Running configuration SHA512 = bab778
[INFO] Reloading complete
`;

test('the hidden bomb: a custom file that CoreDNS has refused is named with its line', async () => {
  const { findings } = await diagnose({
    custom: { 'a.override': 'log\nfowrard . 192.0.2.1\n' },
    failedReloads: 1,
    log: refusedLog,
  });
  expect(findings).toMatchObject([
    {
      code: 'coredns-custom-broken',
      severity: 'error',
      subject: `coredns-custom ${path}: there is no plugin "fowrard"`,
      message: `ConfigMap coredns-custom is broken: ${path}, line 2: there is no plugin "fowrard" · CoreDNS runs on with its last good configuration, and does not start again once its pod ends`,
      effect: 'dormant',
      evidence: [
        { source: 'ConfigMap kube-system/coredns-custom' },
        {
          source: `log of pod ${pod.name}`,
          observed: `${path}:2 - Error during parsing: Unknown directive 'fowrard'`,
        },
        { source: `metrics of pod ${pod.name}`, observed: 'coredns_reload_failed_total 1' },
      ],
      remedy: { kind: 'none', reason: expect.stringContaining('key a.override') },
    },
  ]);
});

test('a plugin that is not known here, and that CoreDNS has not refused, may be one of its build', async () => {
  const custom = { 'a.override': 'netbox example.org\n' };
  expect(await codesOf({ custom })).toEqual(['warning coredns-custom-broken']);
  // Where CoreDNS is not reached nobody knows what it makes of it.
  expect(await codesOf({ custom, failedReloads: 'silent' })).toEqual(['error coredns-custom-broken']);
});

test.each([
  [
    'a second server block for the same zone',
    { 'a.server': '.:53 {\n  forward . 192.0.2.9\n}\n' },
    'already defined',
  ],
  ['a brace that is not closed', { 'a.server': 'example.org {\n  log\n' }, 'line 1'],
  [
    'a second hosts',
    { 'a.override': 'log\nhosts {\n  192.0.2.7 a.example.org\n  fallthrough\n}\n' },
    'line 2: plugin/hosts: this plugin can only be used once',
  ],
  [
    'a second cache',
    { 'a.override': 'cache 5\n' },
    'line 1: plugin/cache: this plugin can only be used once',
  ],
  ['a name for a server', { 'a.override': 'forward . ns1.example.org\n' }, 'ns1.example.org'],
  ['a forward without a server', { 'a.override': 'forward .\n' }, 'line 1'],
  ['a forward over HTTPS', { 'a.override': 'forward . https://192.0.2.1\n' }, 'https'],
  ['a file that is not there', { 'a.override': 'import nowhere\n' }, 'nowhere'],
])('coredns-custom: %s', async (_, custom, words) => {
  const { findings } = await diagnose({ custom });
  expect(findings).toMatchObject([{ code: 'coredns-custom-broken', severity: 'error', effect: 'dormant' }]);
  expect(findings[0]?.message).toContain(words);
  expect(findings[0]?.message).toContain('/etc/coredns/custom/');
});

test('a custom file that leaves a brace open is named, though CoreDNS stumbles in the Corefile', async () => {
  const custom = { 'a.override': 'log\n', 'b.override': 'forward example.org 192.0.2.9 {\n' };
  const { findings } = await diagnose({ custom });
  expect(findings).toMatchObject([{ code: 'coredns-custom-broken', severity: 'error' }]);
  expect(findings[0]?.message).toContain('something in /etc/coredns/custom/b.override is left open');
});

test('coredns-custom that adds what may be there is in order', async () => {
  const custom = {
    'a.override': 'log\nrewrite name a.example.org b.example.org\nrewrite name c.example.org d.example.org\n',
    'b.override': 'forward example.org 192.0.2.9 {\n  max_fails 0\n}\n',
    'c.server': 'example.net:53 {\n  errors\n  cache 30\n  forward . 192.0.2.9\n}\n',
    'notes.txt': '{ this is no Corefile',
  };
  expect(await diagnose({ custom })).toMatchObject({ outcome: 'ok', findings: [] });
});

test('a second forward is what CoreDNS before 1.9.4 refuses', async () => {
  const custom = { 'a.override': 'forward . 192.0.2.9\n' };
  const { findings } = await diagnose({ custom, version: [1, 9, 3] });
  expect(findings).toMatchObject([{ code: 'coredns-custom-broken', severity: 'error' }]);
  expect(findings[0]?.message).toContain('/etc/coredns/custom/a.override, line 1: a second forward');
  const corefile = corefileWith('forward . 192.0.2.1\n    forward . 192.0.2.2');
  const innocent = { 'a.override': 'log\n' };
  expect(await codesOf({ corefile, custom: innocent, version: [1, 9, 3] })).toEqual([
    'error corefile-broken',
  ]);
  expect(await codesOf({ custom, version: [1, 9, 4] })).toEqual([]);
  expect(await codesOf({ custom, version: [1, 10] })).toEqual([]);
});

test('the Corefile itself', async () => {
  const { findings } = await diagnose({ corefile: '.:53 {\n  errors\n  forward . 192.0.2.1 {\n' });
  expect(findings).toMatchObject([
    { code: 'corefile-broken', severity: 'error', effect: 'dormant', remedy: { kind: 'none' } },
  ]);
  expect(findings[0]?.message).toMatch(/^the Corefile is broken: line \d: /);
});

test('CoreDNS does not start any more: what it says itself', async () => {
  const { findings } = await diagnose({
    pods: [crashing],
    log: 'maxprocs: Leaving GOMAXPROCS=2\nplugin/geoip: failed to open database file\n',
  });
  const broken = findings.find(({ code }) => code === 'corefile-broken');
  expect(broken).toMatchObject({
    severity: 'error',
    message: 'CoreDNS does not start with its configuration: plugin/geoip: failed to open database file',
    effect: 'loses',
  });
});

test('the same, where it names a custom file', async () => {
  const codes = await codesOf({
    pods: [crashing],
    log: `${path}:2 - Error during parsing: Wrong argument count\n`,
  });
  expect(codes).toContain('error coredns-custom-broken');
});

test('what CoreDNS refused, and nothing here says why', async () => {
  const log = refusedLog.replaceAll("Unknown directive 'fowrard'", 'invalid value');
  const { findings } = await diagnose({ failedReloads: 3, log });
  expect(findings).toMatchObject([
    {
      code: 'coredns-reload-failed',
      severity: 'error',
      message: `pod ${pod.name} runs with an older configuration, and does not start again once it ends: it refuses the present one · ${path}:2 - Error during parsing: invalid value`,
      effect: 'dormant',
    },
  ]);
});

test('a reload that failed once and was made good is no problem', async () => {
  expect(await codesOf({ failedReloads: 1, log: repairedLog })).toEqual([]);
});

test('what the container before refused, and this one has started with, is no problem', async () => {
  const at = new Date('2026-03-28T01:59:00Z');
  const message = `${path}:2 - Error during parsing: Unknown directive 'fowrard'`;
  const restarted = { restarts: 1, lastTermination: { reason: 'Error', exitCode: 1, message, at } };
  expect(await codesOf({ pods: [restarted], log: `${message}\n` })).toEqual(['warning coredns-restarts']);
  expect(await codesOf({ pods: [restarted] })).toEqual(['warning coredns-restarts']);
});

test('what Kubernetes has kept of its last words will do where the log cannot be read', async () => {
  const message = 'plugin/geoip: failed to open database file';
  const lastTermination = { reason: 'Error', exitCode: 1, message, at: undefined };
  expect(await codesOf({ pods: [{ ...crashing, lastTermination }] })).toContain('error corefile-broken');
});

test('a failed reload without a log is a warning: it may have been made good', async () => {
  const diagnosis = await diagnose({ failedReloads: 1 });
  expect(diagnosis.findings).toMatchObject([{ code: 'coredns-reload-failed', severity: 'warning' }]);
  expect(diagnosis.limits).toEqual([
    `what pod ${pod.name} says in its log: not read (needs: get pods/log in kube-system)`,
  ]);
});

test('the line may move: it stays the same problem', async () => {
  const subject = async (text: string) =>
    (await diagnose({ custom: { 'a.override': text } })).findings[0]?.subject;
  expect(await subject('fowrard . 192.0.2.1\n')).toBe(await subject('# new\n\nfowrard . 192.0.2.1\n'));
});
