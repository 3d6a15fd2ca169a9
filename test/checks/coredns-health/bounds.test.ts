import { expect, test } from 'vitest';
import { codesOf, crashing, diagnose, forbidden, pod } from './cluster.ts';

const away = {
  kind: 'unavailable',
  reason: 'k3s.yaml: 127.0.0.1:6443 refused the connection',
  forbidden: false,
} as const;

test('a node that has nothing to do with a cluster', async () => {
  const presence = { kind: 'absent', reason: 'no kubelet here' } as const;
  expect(await diagnose({ presence })).toMatchObject({ outcome: 'skipped', reasons: ['no kubelet here'] });
});

test('CoreDNS was replaced by something else', async () => {
  const diagnosis = await diagnose({ coreDns: { deployment: { kind: 'absent' } }, pods: [{ ready: false }] });
  expect(diagnosis).toMatchObject({
    outcome: 'skipped',
    findings: [],
    reasons: [
      'there is no Deployment coredns in kube-system: cluster DNS at 10.43.0.10 is served by coredns-6799fbcd5-x7k2p on main',
    ],
  });
});

test('an agent without rights says which one is missing, and what it judged', async () => {
  const diagnosis = await diagnose({
    pods: [{ ready: false }],
    coreDns: {
      deployment: forbidden('get deployments'),
      config: forbidden('get configmaps'),
      custom: forbidden('get configmaps'),
    },
  });
  expect(diagnosis.findings.map(({ code }) => code)).toEqual(['coredns-not-ready']);
  expect(diagnosis.limits).toEqual([
    'how many pods there should be: not judged (needs: get deployments in kube-system)',
    'its Corefile and NodeHosts: not judged (needs: get configmaps in kube-system)',
    'what coredns-custom adds: not judged (needs: get configmaps in kube-system)',
  ]);
  expect(diagnosis.reasons).toEqual([]);
});

test('an agent that may see nothing is not ill', async () => {
  const coreDns = {
    deployment: forbidden('get deployments'),
    pods: forbidden('list pods'),
    config: forbidden('get configmaps'),
    custom: forbidden('get configmaps'),
    service: forbidden('list services'),
  };
  const { outcome, reasons } = await diagnose({ coreDns });
  expect(outcome).toBe('skipped');
  expect(reasons).toContain('its pods: not judged (needs: list pods in kube-system)');
});

test('the API is away: unknown, and the reason once', async () => {
  const coreDns = { deployment: away, pods: away, config: away, custom: away, service: away };
  expect(await diagnose({ coreDns })).toMatchObject({
    outcome: 'unknown',
    findings: [],
    reasons: [away.reason],
  });
});

test('part of it is away: what was found is told all the same', async () => {
  expect(await diagnose({ coreDns: { config: away }, pods: [{ ready: false }] })).toMatchObject({
    outcome: 'findings',
    reasons: [away.reason],
  });
});

test('a pod whose metrics are not reached', async () => {
  const { outcome, limits } = await diagnose({ failedReloads: 'silent' });
  expect(outcome).toBe('ok');
  expect(limits).toEqual([
    `whether pod ${pod.name} has loaded its configuration: not known (metrics: no answer in 3 s)`,
  ]);
});

test('no ConfigMap coredns', async () => {
  const diagnosis = await diagnose({ coreDns: { config: { kind: 'absent' } } });
  expect(diagnosis.findings).toMatchObject([
    { code: 'corefile-broken', severity: 'warning', effect: 'dormant' },
  ]);
  const codes = await codesOf({ coreDns: { config: { kind: 'absent' } }, pods: [{ ready: false }] });
  expect(codes).toEqual(['error coredns-not-ready', 'error corefile-broken']);
});

test('what others wrote goes to a terminal as plain text, and not without end', async () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\r\n\u202egnp.exe';
  const diagnosis = await diagnose({
    custom: { 'a.override': `"${evil}${'x'.repeat(5_000)}" . 192.0.2.1\n` },
    pods: [
      { ...crashing, unschedulable: evil, lastTermination: { reason: evil, exitCode: 1, message: evil } },
    ],
    log: `[FATAL] plugin/loop: Loop (a -> b) detected for zone "${evil.replace('\n', '')}", see ${'y'.repeat(9_999)}\n`,
    nodeHosts: `${evil.replaceAll(/\s/g, '')} worker\n203.0.113.10 main\n`,
  });
  expect(diagnosis.findings.length).toBeGreaterThan(2);
  const told = JSON.stringify(diagnosis);
  for (const { message, subject, evidence } of diagnosis.findings) {
    const texts = [message, subject, ...evidence.flatMap(({ source, observed }) => [source, observed])];
    for (const text of texts) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      expect(text.length).toBeLessThan(800);
    }
  }
  expect(told.length).toBeLessThan(20_000);
});

test('a ConfigMap as large as the API takes, full of faults', async () => {
  const custom = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`${index}.override`, 'fowrard . 192.0.2.1\n'.repeat(250)]),
  );
  const started = performance.now();
  const codes = await codesOf({ custom });
  expect(codes.length).toBeLessThanOrEqual(20);
  expect(performance.now() - started).toBeLessThan(5_000);
});
