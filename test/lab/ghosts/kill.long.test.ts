import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectOnlyGone } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { startHauntedNode, webGhost } from './haunted-node.ts';
import { runDoctor } from './run-doctor.ts';

/** Enough rules for the transaction itself to take a while, so that some kills fall into it. */
const services = Array.from({ length: 1_000 }, (_, i) => ({
  name: `default/service-${i}:http`,
  address: `10.43.${100 + (i >> 8)}.${i & 255}`,
  port: 80,
  endpoints: [1, 2, 3].map((k) => `10.42.${k}.${(i % 250) + 1}:8080`),
}));

it('a fix of 1,000 Services killed at any of 100 moments is settled as a whole, and the next fix repairs', async () => {
  const earlier = [webGhost, ...services];
  await using node = await startHauntedNode({ earlier });
  await addForeignRules(node, 'legacy');
  const haunted = await node.dump('legacy', 'ipv4', { counters: true });
  const before = await node.snapshot();
  const started = performance.now();
  expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
  const wholeMs = performance.now() - started;
  const healthy = await node.snapshot();
  expectOnlyGone(before, healthy, { backend: 'legacy' });

  for (let moment = 1; moment <= 100; moment++) {
    await node.restore('legacy', 'ipv4', haunted);
    const run = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
    await delay((wholeMs * moment) / 100);
    await run.stop();

    const left = await node.snapshot();
    expect(left.legacyIpv4.split('\n')).toEqual(expect.arrayContaining(healthy.legacyIpv4.split('\n')));
    expect(left.nftIpv4).toBe(healthy.nftIpv4);
    expect(await node.doctor(['settle'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect([before.legacyIpv4, healthy.legacyIpv4]).toContain((await node.snapshot()).legacyIpv4);
    expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
    expect((await node.snapshot()).legacyIpv4).toBe(healthy.legacyIpv4);
  }
});
