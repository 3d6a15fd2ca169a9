/** essential-flows on a node with pods: what the walk says is blocked is blocked. */
import { expect, test } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { startOverlay } from '../overlay/start-overlay.ts';

const kubelet = `require('node:net').createServer((socket) => socket.end()).listen(10250, () => console.log('listening'))`;

test('a wall between pods and this node’s kubelet, in the backend that nobody looks at', async () => {
  await using overlay = await startOverlay();
  const { first } = overlay;
  await first.start([process.execPath, '-e', kubelet]).waitForLine('listening');
  const reach = () => first.pod.http('10.42.1.1', 10_250, { timeoutMs: 500 });
  expect(await reach()).toEqual({ ok: false, reason: 'reset' });
  const before = await runDoctor(first, ['check', 'essential-flows']);
  expect(before.findings).toEqual([]);
  expect(before.report.checks[0]?.notes).toContain('pods to kubelet: 1 of 1 ways that were walked are open');

  await first.run(['iptables-legacy', '-A', 'INPUT', '-s', '10.42.0.0/16', '-p', 'tcp', '-j', 'REJECT']);
  expect(await reach()).toEqual({ ok: false, reason: 'refused' });
  const { exitCode, findings } = await runDoctor(first, ['check', 'essential-flows', '--fail-on', 'warning']);
  expect(exitCode).toBe(1);
  expect(findings).toMatchObject([
    {
      code: 'flow-blocked',
      message: expect.stringMatching(
        /^pods to kubelet: rejected by rule 1 of INPUT, iptables-legacy filter: /,
      ),
    },
  ]);
});
