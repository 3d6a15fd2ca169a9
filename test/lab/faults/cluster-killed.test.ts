/** Runs that change the cluster and wait for it, killed, stopped and taken back. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ClusterNode, startClusterNode } from './cluster-node.ts';
import type { Rule } from './faulty-api.ts';
import { until } from './until.ts';

const waiting: Rule = { method: 'GET', path: 'deployments', nth: 6, kills: true };

/** Whatever of the doctor was there before is settled; says how. */
async function settle(node: ClusterNode): Promise<string> {
  const settled = await node.doctor(['settle']);
  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await node.isOpen()).toBe(false);
  return settled.stdout;
}

describe('a run that waits', () => {
  it('is done when the rollout is, and an undo takes back what was written', async () => {
    await using node = await startClusterNode();
    await node.renew();
    const { exitCode, report } = await node.carryOut();
    expect({ exitCode, fix: report?.fix }).toEqual({ exitCode: 0, fix: { outcome: 'done', notes: [] } });
    expect(await node.stand()).toBe('after');

    const undone = await node.doctor(['undo', report?.run.id ?? '', '--yes']);
    expect(undone).toMatchObject({ exitCode: 0, stderr: '' });
    expect(undone.stdout).not.toContain('wait');
    expect(await node.stand()).toBe('before');
    const history = JSON.parse((await node.doctor(['history', '--format', 'json'])).stdout);
    expect(history.runs).toMatchObject([
      { verb: 'undo', outcome: 'done', changes: 2 },
      { verb: 'fix', outcome: 'done', changes: 2 },
    ]);
  });

  it('and waits in vain is taken back, and says why', async () => {
    await using node = await startClusterNode();
    await node.renew([], false);
    const { exitCode, report } = await node.carryOut();
    expect(exitCode).toBe(3);
    expect(report?.fix).toMatchObject({
      outcome: 'failed',
      rollback: 'complete',
      reason:
        'coredns has rolled out: not so within 3 s: the cluster has not taken notice of the change: is its controller manager at work?',
      notes: [
        expect.stringMatching(/^taken back: Deployment/),
        expect.stringMatching(/^taken back: ConfigMap/),
      ],
    });
    expect(await node.stand()).toBe('before');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is taken back at once by %s', async (signal) => {
    await using node = await startClusterNode();
    await node.renew([], false);
    const run = node.startPlan();
    await until(node, 'test "$(grep -c "GET.*deployments" /run/lab/api/log)" -ge 5');
    const began = performance.now();
    await node.run(['sh', '-c', `kill -${signal.slice(3)} $(cat /run/lab/api/pid)`]);
    const { exitCode, stdout } = await run.ended;
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).fix).toMatchObject({
      outcome: 'stopped',
      rollback: 'complete',
      reason: 'asked to stop during: wait until coredns has rolled out',
    });
    expect(await node.stand()).toBe('before');
  });
});

describe('killed while it waits', () => {
  it('a run is taken back when the rollout has still not come about', async () => {
    await using node = await startClusterNode();
    await node.renew([waiting], false);
    expect((await node.carryOut()).exitCode).toBe(137);
    expect(await node.stand()).toBe('after');
    await node.goOn([], false);
    expect(await settle(node)).toMatch(
      /: reverted; taken back: Deployment .*; taken back: ConfigMap [^;]*$/m,
    );
    expect(await node.stand()).toBe('before');
  });

  it('a run stands when the rollout has come about since', async () => {
    await using node = await startClusterNode();
    await node.renew([waiting], false);
    expect((await node.carryOut()).exitCode).toBe(137);
    await node.goOn();
    await delay(300);
    expect(await settle(node)).toMatch(/: done; all its steps were done/);
    expect(await node.stand()).toBe('after');
  });

  it('a run is taken back when the cluster can be asked again', async () => {
    await using node = await startClusterNode();
    await node.renew([waiting], false);
    expect((await node.carryOut()).exitCode).toBe(137);
    await node.goOn([{ nth: 1, everAfter: true, fault: 'cut' }], false);
    const settled = await node.doctor(['settle']);
    expect(settled.exitCode).toBe(3);
    expect(await node.isOpen()).toBe(true);
    await node.goOn([], false);
    await settle(node);
    expect(await node.stand()).toBe('before');
  });
});

it('killed at any request, with what was sent done or lost, a run is done or taken back as a whole', async () => {
  const stands = new Set<string>();
  let killed = 0;
  const points: Rule[] = [];
  for (let nth = 1; nth <= 10; nth++) points.push({ nth, kills: true });
  for (const nth of [1, 2]) points.push({ method: 'PATCH', nth, kills: true, fault: 'cut' });
  const work = async () => {
    await using node = await startClusterNode();
    for (let rule = points.shift(); rule; rule = points.shift()) {
      await node.renew([rule]);
      const { exitCode } = await node.carryOut();
      expect([0, 137]).toContain(exitCode);
      if (exitCode === 137) killed += 1;
      await node.goOn();
      const said = await settle(node);
      const stand = await node.stand();
      expect(stand, `${JSON.stringify(rule)}: ${said}`).not.toBe('between');
      if (said !== '') expect(said).toContain(stand === 'after' ? ': done' : ': reverted');
      stands.add(stand);
    }
  };
  await Promise.all([work(), work()]);
  expect(killed).toBeGreaterThan(10);
  expect([...stands].sort()).toEqual(['after', 'before']);
});
