/** Writing a file where the file system does not let us. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { FileWriteStep } from '../../../src/engine/step.ts';
import { type LabNode, startNode } from '../node/start-node.ts';

const program = fileURLToPath(new URL('./perform-step.ts', import.meta.url));

async function perform(node: LabNode, step: Partial<FileWriteStep>): Promise<unknown> {
  const whole = { kind: 'file-write', path: '', content: 'new\n', basedOn: null, mode: 0o644, ...step };
  return JSON.parse(await node.run([process.execPath, program, JSON.stringify(whole)]));
}

/** Everything below a folder, with what is in the files. */
function tree(node: LabNode, folder: string): Promise<string> {
  return node.run(['sh', '-ec', 'cd "$0"; find . | sort; find . -type f -exec cat {} +', folder]);
}

it('leaves a read-only file system as it is, and says so', async () => {
  await using node = await startNode();
  await node.run(['mkdir', '/run/small']);
  await node.run(['mount', '-t', 'tmpfs', 'small', '/run/small']);
  await node.writeFile('/run/small/file', 'old\n');
  await node.run(['mount', '-o', 'remount,ro', '/run/small']);
  const before = await tree(node, '/run/small');
  const failed = (path: string) => ({ kind: 'failed', reason: `${path}: the file system is read-only` });
  const asBefore = { probed: 'needed', verdict: { kind: 'not-as-planned' }, back: 'done' };

  expect(await perform(node, { path: '/run/small/file', basedOn: 'old\n' })).toMatchObject({
    ...asBefore,
    written: failed('/run/small/file'),
  });
  expect(await perform(node, { path: '/run/small/a/file' })).toMatchObject({
    ...asBefore,
    written: failed('/run/small/a/file'),
  });
  expect(await perform(node, { path: '/run/small/file', content: null, basedOn: 'old\n' })).toMatchObject({
    ...asBefore,
    written: failed('/run/small/file'),
  });
  expect(await tree(node, '/run/small')).toBe(before);
});

it('leaves a full file system as it is, without the folders that it made', async () => {
  await using node = await startNode();
  await node.run(['mkdir', '/run/small']);
  await node.run(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'small', '/run/small']);
  await node.writeFile('/run/small/file', 'old\n');
  const before = await tree(node, '/run/small');
  const content = 'x'.repeat(100_000);
  const written = { kind: 'failed', reason: expect.stringMatching(/: no space left on the device$/) };

  expect(await perform(node, { path: '/run/small/file', content, basedOn: 'old\n' })).toMatchObject({
    written,
    back: 'done',
  });
  expect(await perform(node, { path: '/run/small/a/b/file', content })).toMatchObject({
    written,
    back: 'needed',
    takenBack: { kind: 'written' },
  });
  expect(await tree(node, '/run/small')).toBe(before);
});

it('does not take a mounted file, as in a container, for one that can be replaced', async () => {
  await using node = await startNode();
  await node.writeFile('/run/outside', 'old\n');
  await node.writeFile('/run/inside/file', 'hidden\n');
  await node.run(['mount', '--bind', '/run/outside', '/run/inside/file']);
  const before = await tree(node, '/run/inside');
  for (const content of ['new\n', null]) {
    expect(await perform(node, { path: '/run/inside/file', content, basedOn: 'old\n' })).toMatchObject({
      written: { kind: 'failed', reason: '/run/inside/file: something is mounted there' },
      back: 'done',
    });
  }
  expect(await tree(node, '/run/inside')).toBe(before);
});
