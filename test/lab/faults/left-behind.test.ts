/** What a killed fix had started goes on without it, and must not write behind the back of who settles. */
import { expect, it } from 'vitest';
import { startBrokenNode } from './broken-node.ts';
import { expectRepairable } from './expect-settled.ts';
import { until } from './until.ts';

it('a restore program that still waits for the lock of iptables when its fix is killed writes nothing later', async () => {
  await using node = await startBrokenNode();
  await node.configure({ commandTimeoutMs: 10_000 });
  const other = node.start([
    'flock',
    '--no-fork',
    '/run/xtables.lock',
    'sh',
    '-c',
    'echo locked; exec sleep infinity',
  ]);
  await other.waitForLine('locked');
  const fix = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
  await until(node, 'pgrep -f "[r]estore --noflush"');
  await fix.stop();

  const settled = await node.doctor(['settle']);

  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await node.state()).toBe('before');
  await other.stop();
  await until(node, '! pgrep -f "[r]estore --noflush"');
  expect(await node.state()).toBe('before');
  await expectRepairable(node);
});
