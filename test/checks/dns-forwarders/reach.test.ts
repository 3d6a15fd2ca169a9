import { expect, test } from 'vitest';
import { type Changes, diagnose, newCorefile, oldCorefile } from './cluster.ts';

const network = { '185.12.64.1': 'answers', '185.12.64.2': 'answers' } as const;
const away: Changes = { network, world: 'not-reached', pods: [{ node: 'worker', address: '10.42.1.5' }] };

const first = async (changes: Changes) => {
  const { findings, plan } = await diagnose(changes);
  return { finding: findings[0], steps: plan(() => true).steps };
};

test('CoreDNS that this host does not reach is not changed from here', async () => {
  const { finding, steps } = await first({ ...away, placementConfig: { nodes: ['worker'] } });
  expect(finding).toMatchObject({
    code: 'forwarders-dead',
    remedy: {
      kind: 'held',
      reason: expect.stringMatching(
        'CoreDNS, on worker, does not answer this host: run "doctor fix dns-forwarders" there.*185.12.64.1',
      ),
    },
  });
  expect(steps).toEqual([]);
});

test('if coredns-placement moves it first, the change is planned and proven at the Service', async () => {
  const { finding, steps } = await first(away);
  expect(finding?.remedy).toEqual({ kind: 'planned' });
  expect(steps.at(2)).toMatchObject({ kind: 'wait', until: { questions: [{ server: '10.43.0.10' }] } });
  const { finding: left } = await first({ ...away, placementConfig: { mode: 'report' } });
  expect(left?.remedy.kind).toBe('held');
  const { finding: cordoned } = await first({ ...away, isServerCordoned: true });
  expect(cordoned?.remedy.kind).toBe('held');
});

test('CoreDNS on another node that is reached is changed from here', async () => {
  const world = { '10.42.1.5': 'servfail' } as const;
  const { finding, steps } = await first({ ...away, world });
  expect(finding?.remedy).toEqual({ kind: 'planned' });
  expect(steps).toHaveLength(5);
});

test('CoreDNS on another node that gets answers is left alone, though this node gets none', async () => {
  const world = { '10.42.1.5': 'answers' } as const;
  const { finding, steps } = await first({ ...away, world });
  expect(finding).toMatchObject({
    code: 'forwarders-dead-here',
    severity: 'warning',
    subject: 'zone .',
    remedy: { kind: 'none' },
  });
  expect(steps).toEqual([]);
});

test('... unless the operator’s word is about to move it here', async () => {
  const world = { '10.42.1.5': 'answers' } as const;
  const { finding, steps } = await first({ ...away, world, placementConfig: { nodes: ['main'] } });
  expect(finding).toMatchObject({ code: 'forwarders-dead-here', remedy: { kind: 'planned' } });
  expect(steps).toHaveLength(5);
});

test('what a pod on this node says may come from its cache', async () => {
  const world = { '10.42.0.5': 'answers' } as const;
  const { finding } = await first({ network, podNetwork: network, world });
  expect(finding?.code).toBe('forwarders-dead');
  const nodes = { kind: 'unavailable', reason: 'forbidden' } as const;
  const { finding: same } = await first({ network, podNetwork: network, world, nodes });
  expect(same?.code).toBe('forwarders-dead');
});

test('no pod runs: nothing could be proven', async () => {
  const { finding } = await first({ network, world: 'not-reached', pods: [] });
  expect(finding?.remedy).toMatchObject({
    kind: 'held',
    reason: expect.stringContaining('no pod of CoreDNS'),
  });
});

test('the resolv.conf of a pod elsewhere: what CoreDNS itself answers decides', async () => {
  const elsewhere: Changes = { ...away, corefile: newCorefile() };
  const line = 'what /etc/resolv.conf of pod coredns-6799fbcd5-x7k2p says is known on node worker alone';
  expect(await diagnose(elsewhere)).toMatchObject({ outcome: 'unknown', reasons: [line] });
  const resolves = await diagnose({ ...elsewhere, world: { '10.42.1.5': 'answers' } });
  expect(resolves).toMatchObject({ outcome: 'ok', limits: [line] });
  const { finding, steps } = await first({ ...elsewhere, world: { '10.42.1.5': 'servfail' } });
  expect(finding).toMatchObject({ code: 'forwarders-dead', subject: 'zone .', remedy: { kind: 'none' } });
  expect(steps).toEqual([]);
});

test('a variable among the servers keeps the rest from being called dead, unless CoreDNS fails', async () => {
  const corefile = oldCorefile('forward . 10.0.0.1 {$UPSTREAM}');
  const world = { '10.42.0.5': 'servfail' } as const;
  const reason = '10.0.0.1 (Corefile, line 15) does not answer, and {$UPSTREAM}: not understood';
  expect(await diagnose({ corefile, network })).toMatchObject({ outcome: 'unknown', reasons: [reason] });
  expect((await first({ corefile, network, world })).finding?.code).toBe('forwarders-dead');
});
