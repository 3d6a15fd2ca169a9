import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { WaitStep } from '../../../src/engine/step.ts';
import type { StepContext } from '../../../src/engine/steps/step-kind.ts';
import { wait } from '../../../src/engine/steps/wait.ts';
import type { DnsAnswer, DnsQuestion, Host } from '../../../src/host/host.ts';
import { liveNode } from './live-node.ts';

const question: DnsQuestion = {
  server: '10.43.0.10',
  protocol: 'udp',
  name: 'example.org',
  type: 'A',
  timeoutMs: 1500,
};
const step: WaitStep = {
  kind: 'wait',
  title: 'example.org resolves',
  until: { kind: 'dns-answers', questions: [question] },
  deadlineMs: 1500,
};

/**
 * Hears the codes in turn, the last for ever; `hangs` is a NOERROR after a second. Real servers are asked in
 * the lab.
 */
function nodeThatHears(...codes: readonly string[]) {
  let asked = 0;
  const { host, ...rest } = liveNode();
  const askDns = async (): Promise<readonly DnsAnswer[]> => {
    const said = codes[Math.min(asked++, codes.length - 1)] ?? '';
    if (said === 'hangs') await delay(1000);
    const code = said === 'hangs' ? 'NOERROR' : said;
    return [{ kind: 'answered', code, records: [], truncated: false, elapsedMs: 1 }];
  };
  const context: StepContext = { ...rest, host: { ...host, askDns } };
  return { context, asked: () => asked };
}

async function lasting<T>(work: Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const began = performance.now();
  const result = await work;
  return { result, ms: performance.now() - began };
}

describe('looking', () => {
  test('it is done if it holds now, else needed, whatever the reason', async () => {
    expect(await wait.probe(step, nodeThatHears('NOERROR').context)).toEqual({ kind: 'done', notes: [] });
    const { context, asked } = nodeThatHears('SERVFAIL', 'NOERROR');
    expect(await wait.probe(step, context)).toEqual({ kind: 'needed', before: {} });
    expect(asked()).toBe(1);
    const rollout = { ...step, until: { kind: 'rolled-out', object: '/apis/apps/v1/x' } } as const;
    expect(await wait.probe(rollout, liveNode())).toEqual({ kind: 'needed', before: {} });
  });

  test('read back, it says what is the case', async () => {
    const { context } = nodeThatHears('SERVFAIL', 'NOERROR');
    expect(await wait.verify(step, {}, context)).toEqual({
      kind: 'not-as-planned',
      reason: 'example.org resolves: 10.43.0.10: SERVFAIL',
    });
    expect(await wait.verify(step, {}, context)).toEqual({ kind: 'as-planned', notes: [] });
  });
});

describe('waiting', () => {
  test('ends as soon as it holds', async () => {
    const { context, asked } = nodeThatHears('SERVFAIL', 'NOERROR');
    const { result, ms } = await lasting(wait.apply({ ...step, deadlineMs: 60_000 }, {}, context));
    expect(result).toEqual({ kind: 'written' });
    expect(asked()).toBe(2);
    expect(ms).toBeLessThan(1_500);
  });

  test('ends at the deadline, after a last look, and says what was seen in that', async () => {
    const { context, asked } = nodeThatHears('REFUSED', 'NXDOMAIN', 'SERVFAIL');
    const { result, ms } = await lasting(wait.apply(step, {}, context));
    expect(result).toEqual({
      kind: 'failed',
      reason: 'example.org resolves: not so within 1.5 s: 10.43.0.10: SERVFAIL',
    });
    expect(asked()).toBe(3);
    expect(ms).toBeGreaterThan(1_490);
    expect(ms).toBeLessThan(2_500);
  });

  test('of a look that is under way at the deadline the answer is heard', async () => {
    const { context } = nodeThatHears('SERVFAIL', 'hangs');
    expect(await wait.apply({ ...step, deadlineMs: 1_100 }, {}, context)).toEqual({ kind: 'written' });
  });

  test.each([
    ['between two looks', ['SERVFAIL']],
    ['in the middle of one', ['hangs']],
  ])('ends at once when somebody asks to stop %s', async (_, codes) => {
    const { context } = nodeThatHears(...codes);
    const signal = AbortSignal.timeout(200);
    const waited = wait.apply({ ...step, deadlineMs: 60_000 }, {}, { ...context, signal });
    const { result, ms } = await lasting(waited);
    expect(result).toMatchObject({ kind: 'failed' });
    expect(ms).toBeLessThan(700);
  });

  test('ends at once when it is of no use any more', async () => {
    const { context } = nodeThatHears('NOERROR');
    const body = 'coredns_reload_failed_total 1\n';
    const host = { ...context.host, httpGet: async () => ({ kind: 'ok', body }) as const };
    const pods = [{ name: 'coredns-1', address: '10.42.0.5', hashWas: 'old', failedWas: 0 }];
    const reload: WaitStep = { ...step, until: { kind: 'coredns-reloaded', pods }, deadlineMs: 60_000 };
    const kubeGet: Host['kubeGet'] = async () => ({
      kind: 'ok',
      body: '{"metadata":{"name":"a"}}',
      source: '',
    });
    expect(await wait.apply(reload, {}, { ...context, host: { ...host, kubeGet } })).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(
        /^example.org resolves: pod coredns-1 could not load the new configuration/,
      ),
    });
  });

  test('is not begun when somebody has asked already', async () => {
    const { context } = nodeThatHears('hangs');
    const signal = AbortSignal.abort();
    const { result, ms } = await lasting(wait.apply(step, {}, { ...context, signal }));
    expect(result).toMatchObject({ kind: 'failed' });
    expect(ms).toBeLessThan(500);
  });
});

test('it is described with what is asked and for how long, and changes nothing', () => {
  expect(wait.describe({ ...step, deadlineMs: 180_000 })).toEqual({
    title: 'wait until example.org resolves',
    command: 'ask example.org A from 10.43.0.10, every 1 s for 180 s at most',
    input: undefined,
    changes: 0,
    reversible: true,
    firewall: false,
    volatile: false,
    waits: true,
  });
  const rollout = { kind: 'rolled-out', object: '/apis/apps/v1/namespaces/a/deployments/b' } as const;
  expect(wait.describe({ ...step, until: rollout }).command).toMatch(
    /^GET \/apis\/apps\/v1\/namespaces\/a\/deployments\/b, every/,
  );
  const pods = ['10.42.0.5', 'fd00::5'].map((address) => ({ name: '', address, hashWas: '', failedWas: 0 }));
  expect(wait.describe({ ...step, until: { kind: 'coredns-reloaded', pods } }).command).toMatch(
    /^GET http:\/\/10\.42\.0\.5:9153\/metrics, http:\/\/\[fd00::5\]:9153\/metrics, every/,
  );
  expect(wait.revert(step, {})).toBeUndefined();
});
