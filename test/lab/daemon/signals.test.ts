import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type RunningProcess, startProcess } from '../node/start-process.ts';

const program = fileURLToPath(new URL('patient-program.ts', import.meta.url));

describe.each(['SIGTERM', 'SIGINT'] as const)('a daemon that gets %s', (signal) => {
  it('at work finishes the run, whatever further signals come, and ends with 0', async () => {
    await using daemon = startProcess([process.execPath, program]);
    await daemon.waitForLine('"at work"');

    send(daemon, signal);
    await daemon.waitForLine('"stopping"');
    for (const again of ['SIGTERM', 'SIGINT'] as const) {
      send(daemon, again);
      await daemon.waitForLine(`"signal":"${again}","msg":"still stopping`);
    }
    daemon.closeInput();

    const { exitCode, stdout, stderr } = await daemon.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const messages = [...stdout.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message);
    expect(messages.slice(-2)).toEqual(['fix ends: finished', 'over']);
    expect(messages.filter((message) => message === 'at work')).toHaveLength(1);
  });
});

function send({ pid }: RunningProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('it did not start');
  process.kill(pid, signal);
}
