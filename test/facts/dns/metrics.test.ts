import { expect, test } from 'vitest';
import { parseCorefile } from '../../../src/coredns/corefile.ts';
import { coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { liveCorefileFact } from '../../../src/facts/dns/corefile.ts';
import { coreDnsMetricsFact } from '../../../src/facts/dns/metrics.ts';
import { podLogsFact, readSigns } from '../../../src/facts/dns/pod-logs.ts';
import { type Has, hostOf } from './host-of.ts';

const counted = (failed: number) =>
  ({ kind: 'ok', body: `coredns_reload_failed_total ${failed}\n` }) as const;

function cluster(pods: readonly object[], prometheus = 'prometheus :9153', has: Has = {}) {
  const parsed = parseCorefile(`.:53 {\n  ${prometheus}\n}\n`);
  const corefile = parsed.kind === 'parsed' ? parsed.corefile : undefined;
  return hostOf({
    ...has,
    facts: {
      [coreDnsFact.id]: { pods: { kind: 'known', value: pods } },
      [liveCorefileFact.id]: corefile ? { kind: 'read', corefile } : { kind: 'broken' },
    },
  });
}

const pod = {
  name: 'coredns-1',
  address: '10.42.0.5',
  isEnding: false,
  ready: true,
  restarts: 0,
  waiting: undefined,
};

test('each pod that is to stay is asked once at its address', async () => {
  const pods = [
    pod,
    { ...pod, name: 'coredns-2', address: '2001:db8:42::5' },
    { ...pod, name: 'coredns-3', address: '10.42.0.6', isEnding: true },
    { ...pod, name: 'coredns-4', address: undefined },
    { ...pod, name: 'evicted', address: '10.42.0.7', phase: 'Failed' },
  ];
  const { context, asked } = cluster(pods, undefined, {
    http: (url) =>
      url.includes('10.42.0.5') ? counted(2) : { kind: 'unavailable', reason: 'no answer in 3 s' },
  });
  expect([...(await context.get(coreDnsMetricsFact))]).toEqual([
    ['10.42.0.5', { kind: 'read', metrics: { reloadsFailed: 2, configHash: undefined } }],
    ['2001:db8:42::5', { kind: 'unavailable', reason: 'no answer in 3 s' }],
  ]);
  expect(asked).toEqual(['GET http://10.42.0.5:9153/metrics', 'GET http://[2001:db8:42::5]:9153/metrics']);
});

test.each([
  ['prometheus 0.0.0.0:9253', 9253],
  ['prometheus [::]:9253', 9253],
  ['prometheus', 9153],
  ['prometheus :0', 9153],
  ['prometheus :99999', 9153],
  ['errors', 9153],
])('the port that the Corefile says: %s', async (prometheus, port) => {
  const { context, asked } = cluster([pod], prometheus);
  await context.get(coreDnsMetricsFact);
  expect(asked).toEqual([`GET http://10.42.0.5:${port}/metrics`]);
});

test.each(['10.42.0.5@evil.example', 'evil.example', '10.42.0.5/x?', 'a:b/'])(
  'nothing but an address is asked: %s',
  async (address) => {
    const { context, asked } = cluster([{ ...pod, address }]);
    await context.get(coreDnsMetricsFact);
    expect(asked).toEqual([]);
  },
);

test('more pods than anybody runs are not all asked', async () => {
  const { context, asked } = cluster(
    Array.from({ length: 5_000 }, (_, index) => ({ ...pod, address: `10.${index >> 8}.${index & 255}.5` })),
  );
  await context.get(coreDnsMetricsFact);
  expect(asked).toHaveLength(50);
});

const ok = { kind: 'ok', body: '', source: 'k3s.yaml' } as const;
const log = (name: string, more = '') =>
  `GET /api/v1/namespaces/kube-system/pods/${name}/log?tailLines=1000&container=coredns${more}`;

test.each([
  ['is well', pod, counted(0), []],
  ['was restarted once, long ago', { ...pod, restarts: 1 }, counted(0), []],
  ['has refused something', pod, counted(1), [log('coredns-1')]],
  [
    'crashes',
    { ...pod, ready: false, restarts: 3, waiting: 'CrashLoopBackOff' },
    counted(0),
    [log('coredns-1', '&previous=true')],
  ],
  [
    'is starting again',
    { ...pod, ready: false, restarts: 3 },
    counted(0),
    [log('coredns-1', '&previous=true')],
  ],
  [
    'is ready, and ended a short time ago',
    { ...pod, restarts: 3, lastTermination: { at: new Date(-5 * 60_000) } },
    counted(0),
    [log('coredns-1', '&previous=true')],
  ],
  [
    'ended a while ago',
    { ...pod, restarts: 3, lastTermination: { at: new Date(-7 * 60_000) } },
    counted(0),
    [],
  ],
  [
    'is ready, ended, and refuses something again',
    { ...pod, restarts: 3, lastTermination: { at: new Date(-5 * 60_000) } },
    counted(1),
    [log('coredns-1')],
  ],
  ['starts for the first time', { ...pod, ready: false, waiting: 'ContainerCreating' }, counted(0), []],
  ['ends', { ...pod, isEnding: true, waiting: 'CrashLoopBackOff' }, counted(1), []],
  ['has a name that is none', { ...pod, name: '../../secrets', waiting: 'CrashLoopBackOff' }, counted(1), []],
])('the log of a pod that %s', async (_, one, metrics, expected) => {
  const { context, asked } = cluster([one], undefined, { http: () => metrics, kube: () => ok });
  await context.get(podLogsFact);
  expect(asked.filter((each) => !each.includes('http://'))).toEqual(expected);
});

test('without the right, that right is named', async () => {
  const { context } = cluster([pod], undefined, {
    http: () => counted(1),
    kube: () => ({ kind: 'unavailable', reason: 'forbidden', status: 403 }),
  });
  expect([...(await context.get(podLogsFact))]).toEqual([
    ['coredns-1', { kind: 'unavailable', reason: 'needs: get pods/log in kube-system' }],
  ]);
});

// All lines are what CoreDNS 1.12.3 printed, but for the names of files.
test.each([
  ['nothing', '.:53\nCoreDNS-1.12.3\n', undefined],
  ['that it runs', '[INFO] plugin/reload: Running configuration SHA512 = bab778\n', { kind: 'loaded' }],
  [
    'that it could not load',
    '[INFO] Reloading\n[ERROR] Restart failed: cannot serve dns://.:53 - it is already defined\n[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: cannot serve dns://.:53 - it is already defined\n',
    { kind: 'refused', reason: 'cannot serve dns://.:53 - it is already defined' },
  ],
  [
    'that it cannot parse',
    '[WARNING] plugin/reload: Corefile parse failed: /etc/coredns/Corefile:14 - Error during parsing: Unexpected EOF\n',
    { kind: 'refused', reason: '/etc/coredns/Corefile:14 - Error during parsing: Unexpected EOF' },
  ],
  [
    'that it could, later',
    '[ERROR] plugin/reload: Corefile changed but reload failed: x\n[INFO] Reloading\n[INFO] Reloading complete\n',
    { kind: 'loaded' },
  ],
  [
    'that it does not start: a plugin',
    'maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined\nplugin/cache: this plugin can only be used once per Server Block\n',
    { kind: 'refused', reason: 'plugin/cache: this plugin can only be used once per Server Block' },
  ],
  [
    'that it does not start: a line',
    "/etc/coredns/custom/a.override:2 - Error during parsing: Unknown directive 'fowrard'\n",
    {
      kind: 'refused',
      reason: "/etc/coredns/custom/a.override:2 - Error during parsing: Unknown directive 'fowrard'",
    },
  ],
  [
    'that it does not start: a brace',
    "/etc/coredns/custom/a.server:2 - Syntax error: Unexpected token 'log', expecting '}'\n",
    {
      kind: 'refused',
      reason: "/etc/coredns/custom/a.server:2 - Syntax error: Unexpected token 'log', expecting '}'",
    },
  ],
  [
    'what upstreams do',
    '[ERROR] plugin/errors: 2 a.example.org. A: read udp 10.42.0.5:1->192.0.2.1:53: i/o timeout\n',
    undefined,
  ],
])('of its configuration CoreDNS says %s', (_, text, configuration) => {
  expect(readSigns(text)).toEqual({ loop: undefined, configuration });
});

test('a loop, in CoreDNS’ words', () => {
  const line =
    '[FATAL] plugin/loop: Loop (127.0.0.1:44554 -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 2107544276308725492.4286067236585733717."';
  expect(readSigns(`[INFO] plugin/reload: Running configuration SHA512 = f2\n${line}\n`).loop).toMatch(
    /^Loop \(127\.0\.0\.1:44554 -> :53\) detected for zone "\."/,
  );
});
