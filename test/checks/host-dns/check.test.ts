import { expect, test } from 'vitest';
import { conf, diagnose, fallback, name } from './host.ts';

const codesOf = async (changes: Parameters<typeof diagnose>[0]) =>
  (await diagnose(changes)).findings.map(({ code, severity }) => `${severity} ${code}`);

const unresolved = { kind: 'unresolved', reason: 'no such name, or no server answers' } as const;

test('nothing is wrong where everything is in order', async () => {
  expect(await diagnose()).toMatchObject({ outcome: 'ok', findings: [], reasons: [], limits: [] });
});

test('a node that has nothing to do with a cluster', async () => {
  const presence = { kind: 'absent', reason: 'no kubelet here' } as const;
  expect(await diagnose({ presence, names: [name({ answer: unresolved })] })).toMatchObject({
    outcome: 'skipped',
    reasons: ['no kubelet here'],
    findings: [],
  });
});

test('the API’s name is not resolved', async () => {
  const why = 'the API is there (/etc/rancher/k3s/config.yaml)';
  const { findings } = await diagnose({
    names: [name({ name: 'k3s.example.org', kind: 'api', why, answer: unresolved })],
  });
  expect(findings).toMatchObject([
    {
      code: 'host-name-unresolved',
      severity: 'error',
      subject: 'k3s.example.org',
      message:
        'this host does not resolve k3s.example.org (no such name, or no server answers): k3s here does not find its server when it starts',
      effect: 'loses',
      evidence: [{ source: 'getent ahosts k3s.example.org', observed: unresolved.reason }, { observed: why }],
      remedy: { kind: 'none' },
    },
  ]);
});

test('a registry is a warning, and a name of the configuration an error', async () => {
  const names = [
    name({ answer: unresolved }),
    name({ name: 'git.example.org', kind: 'configured', answer: unresolved }),
  ];
  expect(await codesOf({ names })).toEqual(['warning host-name-unresolved', 'error host-name-unresolved']);
});

test('names that could not be looked up are unknown, and the reason is told once', async () => {
  const answer = { kind: 'not-asked', reason: 'there is no program getent on this machine' } as const;
  expect(
    await diagnose({ names: [name({ answer }), name({ name: 'b.example.org', answer })] }),
  ).toMatchObject({
    outcome: 'unknown',
    reasons: ['names could not be looked up: there is no program getent on this machine'],
  });
  expect(await diagnose({ doubts: ['/etc/rancher/k3s/registries.yaml is not valid YAML'] })).toMatchObject({
    outcome: 'unknown',
    reasons: ['/etc/rancher/k3s/registries.yaml is not valid YAML'],
  });
});

const two = conf('/etc/resolv.conf', ['192.0.2.1', '192.0.2.2']);

test.each(['timed-out', 'blocked', 'wrong-answer'] as const)('a nameserver of two: %s', async (verdict) => {
  const { findings } = await diagnose({
    host: two,
    answers: { '192.0.2.1': verdict, '192.0.2.2': 'answers' },
  });
  expect(findings).toMatchObject([
    {
      code: 'resolver-down',
      severity: 'warning',
      subject: 'nameserver 192.0.2.1',
      message:
        'nameserver 192.0.2.1 of this host does not answer: names that it is asked for take seconds, or fail',
      effect: 'loses',
      evidence: [{ source: '192.0.2.1 over UDP' }, { source: '192.0.2.1 over TCP' }],
      remedy: { kind: 'none' },
    },
  ]);
});

test('none of them answers', async () => {
  const { findings } = await diagnose({
    host: two,
    answers: { '192.0.2.1': 'timed-out', '192.0.2.2': 'timed-out' },
  });
  expect(findings.map(({ subject }) => subject)).toEqual(['nameserver 192.0.2.1', 'nameserver 192.0.2.2']);
  expect(findings[0]?.message).toContain('this host resolves no name of the world');
});

test.each(['answers', 'slow', 'truncated'] as const)('a nameserver that can be used: %s', async (verdict) => {
  expect(await codesOf({ answers: { '192.0.2.1': verdict } })).toEqual([]);
});

test('a nameserver that refuses the world: a fault where another one does not, or names are needed', async () => {
  const refusing = { answers: { '192.0.2.1': 'refused' } } as const;
  expect(await codesOf(refusing)).toEqual([]);
  const { findings } = await diagnose({
    host: two,
    answers: { '192.0.2.1': 'servfail', '192.0.2.2': 'answers' },
  });
  expect(findings).toMatchObject([
    {
      code: 'resolver-down',
      effect: 'rejects',
      message: expect.stringContaining('answers SERVFAIL in 3 tries: '),
    },
  ]);
  expect(await codesOf({ ...refusing, names: [name({ answer: unresolved })] })).toEqual([
    'warning host-name-unresolved',
    'warning resolver-down',
  ]);
});

test('a nameserver that could not be asked is a limit', async () => {
  expect(await diagnose({ answers: {} })).toMatchObject({
    outcome: 'ok',
    limits: ['nameserver 192.0.2.1 of this host was not asked'],
  });
  expect(await diagnose({ answers: { '192.0.2.1': 'not-asked' } })).toMatchObject({
    outcome: 'ok',
    limits: ['nameserver 192.0.2.1 of this host was not asked: no route'],
  });
});

const stub = conf('/etc/resolv.conf', ['127.0.0.53'], '127.0.0.53');

test('k3s falls back to 8.8.8.8: a warning while that answers', async () => {
  const { findings } = await diagnose({
    host: stub,
    kubelet: fallback,
    answers: { '127.0.0.53': 'answers', '8.8.8.8': 'answers' },
  });
  expect(findings).toMatchObject([
    {
      code: 'resolver-unfit',
      severity: 'warning',
      subject: '/etc/resolv.conf',
      message:
        "k3s cannot give this host's resolv.conf to pods (nameserver 127.0.0.53, which is not meant for other machines): those that take the node's resolvers, as CoreDNS does, get 8.8.8.8, and ask there for all names outside the cluster",
      effect: 'idle',
      evidence: [
        {
          source: '/etc/resolv.conf',
          observed: 'nameserver 127.0.0.53, which is not meant for other machines',
        },
        { source: '/run/systemd/resolve/resolv.conf', observed: 'there is none' },
        { observed: 'nameserver 8.8.8.8' },
        { source: '8.8.8.8 over UDP' },
        { source: '8.8.8.8 over TCP' },
      ],
      remedy: { kind: 'none', reason: expect.stringContaining('resolv-conf') },
    },
  ]);
});

test('an error when 8.8.8.8 does not answer from here, and a warning where that was not asked', async () => {
  const changes = { host: stub, kubelet: fallback } as const;
  const answers = { '127.0.0.53': 'answers' } as const;
  const { findings } = await diagnose({ ...changes, answers: { ...answers, '8.8.8.8': 'timed-out' } });
  expect(findings).toMatchObject([{ code: 'resolver-unfit', severity: 'error', effect: 'loses' }]);
  expect(findings[0]?.message).toContain(
    'get 8.8.8.8, which does not answer here: they resolve nothing outside the cluster',
  );
  expect(await codesOf({ ...changes, answers })).toEqual(['warning resolver-unfit']);
  expect(await codesOf({ ...changes, answers: { ...answers, '8.8.8.8': 'not-asked' } })).toEqual([
    'warning resolver-unfit',
  ]);
});

test('8.8.8.8 does not answer, and CoreDNS asks others: what is left is a warning', async () => {
  const changes = { host: stub, kubelet: fallback, answers: { '8.8.8.8': 'timed-out' } } as const;
  const { findings } = await diagnose({ ...changes, upstreams: ['185.12.64.1'] });
  expect(findings).toMatchObject([{ code: 'resolver-unfit', severity: 'warning', effect: 'idle' }]);
  expect(findings[0]?.message).toContain('CoreDNS itself asks others now');
  expect(await codesOf({ ...changes, upstreams: ['185.12.64.1', '8.8.8.8'] })).toEqual([
    'error resolver-unfit',
  ]);
});

test('a file that the operator names, and k3s does not look at', async () => {
  const told = { kind: 'known', by: 'option', from: '/etc/rancher/k3s/config.yaml' } as const;
  const path = '/etc/rancher/k3s/resolv.conf';
  const stubbed = await diagnose({ kubelet: { ...told, conf: conf(path, ['127.0.0.1'], '127.0.0.1') } });
  expect(stubbed.findings).toMatchObject([
    {
      code: 'resolver-unfit',
      severity: 'warning',
      subject: path,
      message: `k3s is told to give ${path} to pods (/etc/rancher/k3s/config.yaml), with nameserver 127.0.0.1, which inside a pod is not what it is here`,
    },
  ]);
  const gone = await diagnose({ kubelet: { ...told, conf: { kind: 'absent', path } } });
  expect(gone.findings).toMatchObject([{ code: 'resolver-unfit', severity: 'error', effect: 'loses' }]);
  expect(await codesOf({ kubelet: { ...told, conf: conf(path, ['192.0.2.1']) } })).toEqual([]);
});

test('a stub is no fault where k3s gives pods what stands behind it, or the operator says what', async () => {
  const resolved = conf('/run/systemd/resolve/resolv.conf', ['192.0.2.1']);
  const answers = { '127.0.0.53': 'answers' } as const;
  const kubelet = { kind: 'known', by: 'host', from: undefined, conf: resolved } as const;
  expect(await codesOf({ host: stub, resolved, kubelet, answers })).toEqual([]);
  expect(
    await codesOf({ host: stub, kubelet: { ...kubelet, by: 'option', from: 'config.yaml' }, answers }),
  ).toEqual([]);
});

test('no resolv.conf at all, and one that cannot be read', async () => {
  const absent = { kind: 'absent', path: '/etc/resolv.conf' } as const;
  const { findings } = await diagnose({ host: absent, kubelet: fallback, answers: { '8.8.8.8': 'answers' } });
  expect(findings[0]?.message).toContain('(there is none)');
  const host = { kind: 'unreadable', path: '/etc/resolv.conf', reason: 'EACCES' } as const;
  const kubelet = { kind: 'unknown', reason: 'config.yaml is no mapping' } as const;
  expect(await diagnose({ host, kubelet, answers: {} })).toMatchObject({
    outcome: 'unknown',
    reasons: [
      '/etc/resolv.conf cannot be read: EACCES',
      'what pods get is not known: config.yaml is no mapping',
    ],
  });
});

test('what others wrote goes to a terminal as plain text', async () => {
  const evil = '\u001b]0;owned\u0007\u202e127.0.0.1';
  const diagnosis = await diagnose({
    host: conf('/etc/resolv.conf', [evil], evil),
    kubelet: { ...fallback, conf: conf('/x', [evil]) },
    answers: { [evil]: 'timed-out' },
  });
  expect(diagnosis.findings.length).toBeGreaterThan(0);
  const { findings, limits, notes, reasons } = diagnosis;
  const texts = findings.flatMap(({ message, subject, evidence }) => [
    message,
    subject,
    ...evidence.flatMap(({ source, observed }) => [source, observed]),
  ]);
  for (const text of [...texts, ...limits, ...notes, ...reasons]) expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
