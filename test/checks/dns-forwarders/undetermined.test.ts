import { expect, test } from 'vitest';
import { type Changes, diagnose, newCorefile, oldCorefile, resolvConf } from './cluster.ts';

const good = { '8.8.8.8': 'answers', '1.1.1.1': 'answers' } as const;
const forbidden = (right: string) =>
  ({ kind: 'unavailable', forbidden: true, reason: `needs: ${right} in kube-system` }) as const;
const noConfig = { config: forbidden('get configmaps'), custom: forbidden('get configmaps') };

const outcome = async (changes: Changes) => {
  const { outcome, reasons, limits, findings } = await diagnose(changes);
  return { outcome, reasons, limits, codes: findings.map(({ code }) => code) };
};

test('a machine without k3s is skipped', async () => {
  expect(await outcome({ presence: { kind: 'absent', reason: 'no kubelet' } })).toMatchObject({
    outcome: 'skipped',
    reasons: ['no kubelet'],
  });
});

test('an agent without rights is not ill, and is told which right is missing', async () => {
  expect(await outcome({ coreDns: noConfig })).toMatchObject({
    outcome: 'skipped',
    reasons: [expect.stringContaining('needs: get configmaps in kube-system')],
    codes: [],
  });
});

test('without rights CoreDNS itself is asked, if its address is known', async () => {
  const resolves = await outcome({ coreDns: noConfig, world: { '10.42.0.5': 'answers' } });
  expect(resolves).toMatchObject({
    outcome: 'ok',
    limits: expect.arrayContaining(['not judged for want of rights (needs: get configmaps in kube-system)']),
  });
  const fails = await outcome({ coreDns: noConfig, world: { '10.42.0.5': 'servfail' } });
  expect(fails).toMatchObject({ outcome: 'findings', codes: ['forwarders-dead'] });
});

test('without the right to read coredns-custom nothing is written', async () => {
  const { findings, plan, limits } = await diagnose({
    coreDns: { custom: forbidden('get configmaps') },
    network: { '185.12.64.1': 'answers' },
  });
  expect(findings).toMatchObject([{ code: 'forwarders-dead', remedy: { kind: 'none' } }]);
  expect(limits).toContain('not judged for want of rights (needs: get configmaps in kube-system)');
  expect(plan(() => true).steps).toEqual([]);
});

test('the API away: unknown, and never ok', async () => {
  const away = { kind: 'unavailable', forbidden: false, reason: 'connection refused' } as const;
  const coreDns = { deployment: away, pods: away, config: away, custom: away, service: away };
  expect(await outcome({ coreDns })).toMatchObject({
    outcome: 'unknown',
    reasons: ['what CoreDNS forwards to is not known: connection refused'],
  });
});

test('a Corefile that does not parse: unknown, and nothing is changed', async () => {
  const { outcome, reasons, plan } = await diagnose({ corefile: '.:53 {\n    forward . 8.8.8.8\n' });
  expect(outcome).toBe('unknown');
  expect(reasons).toEqual([expect.stringMatching(/cannot read its Corefile \(.*line 2.*coredns-health/)]);
  expect(plan(() => true).steps).toEqual([]);
});

test('no ConfigMap: unknown', async () => {
  expect(await outcome({ coreDns: { config: { kind: 'absent' } } })).toMatchObject({
    outcome: 'unknown',
    reasons: ['what CoreDNS forwards to is not known: there is no ConfigMap coredns in kube-system'],
  });
});

test('something else in the place of CoreDNS: skipped, with what is seen', async () => {
  expect(await outcome({ coreDns: { deployment: { kind: 'absent' } } })).toMatchObject({
    outcome: 'skipped',
    reasons: [expect.stringContaining('10.43.0.10')],
  });
});

test('no forward for the world: whether that is meant is not known', async () => {
  expect(await outcome({ corefile: oldCorefile('') })).toMatchObject({
    outcome: 'ok',
    limits: expect.arrayContaining([expect.stringContaining('no forward')]),
  });
});

const kubelet = (...servers: string[]) =>
  ({ kind: 'known', by: 'host', from: undefined, conf: resolvConf('/etc/resolv.conf', servers) }) as const;
const packaged = { corefile: oldCorefile('forward . /etc/resolv.conf') };

test('a Corefile that k3s will overwrite is told of, and whether the world is lost then', async () => {
  const { findings } = await diagnose({
    network: good,
    packaged,
    hostServers: ['10.9.9.9'],
    kubelet: kubelet('10.9.9.9'),
  });
  expect(findings).toMatchObject([
    {
      code: 'forwarders-not-lasting',
      subject: 'zone .',
      severity: 'warning',
      effect: 'dormant',
      message: expect.stringMatching(
        'forward . 8.8.8.8 1.1.1.1.*forward . /etc/resolv.conf.*10.9.9.9 does not answer',
      ),
      remedy: { kind: 'none', reason: expect.stringContaining('resolv-conf') },
    },
  ]);
});

test('... and what would make it last where the import comes first', async () => {
  const { findings } = await diagnose({ network: good, packaged: { corefile: newCorefile() } });
  expect(findings[0]?.remedy).toMatchObject({ reason: expect.stringContaining('coredns-custom') });
});

test.each([
  ['it is what k3s packages', { packaged: { corefile: oldCorefile() } }],
  ['kubelet’s resolv.conf names the same servers', { packaged, kubelet: kubelet('1.1.1.1', '8.8.8.8') }],
  ['our resolv-conf is there', { packaged: { ...packaged, ownDropIn: 'resolv-conf: x\n' } }],
  ['k3s leaves it alone', { packaged: { ...packaged, isSkipped: true } }],
  ['this is no server', { packaged: { ...packaged, isServer: false } }],
  [
    'an override is what is asked',
    { packaged, corefile: newCorefile(), custom: { 'a.override': 'forward . 8.8.8.8\n' } },
  ],
] as const)('it lasts where %s', async (_, changes) => {
  expect(await outcome({ network: good, ...changes })).toMatchObject({ outcome: 'ok', codes: [] });
});

test('servers that do not answer need not last', async () => {
  expect((await outcome({ packaged })).codes).toEqual(['forwarders-dead']);
});

test('the same fault has the same subject, whatever else is seen', async () => {
  const faults: readonly Changes[] = [
    {},
    { network: { '185.12.64.1': 'answers' } },
    { network: { '8.8.8.8': 'servfail' }, world: { '10.42.0.5': 'servfail' } },
    { podNetwork: {} },
  ];
  const subjects = await Promise.all(
    faults.map(async (changes) =>
      (await diagnose(changes)).findings.map(({ code, subject }) => `${code} ${subject}`),
    ),
  );
  expect(new Set(subjects.flat())).toEqual(new Set(['forwarders-dead zone .']));
});
