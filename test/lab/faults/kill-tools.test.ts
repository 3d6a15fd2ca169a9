/** The doctor is killed from within each program that it runs, before and after the program's work. */
import { expect, it } from 'vitest';
import type { Tool } from '../../../src/host/tools.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import type { BrokenNode } from './broken-node.ts';
import { expectSettles } from './expect-settled.ts';
import { tryAll } from './try-all.ts';

interface Kill {
  readonly tool: Tool;
  readonly words: string;
  readonly nth: number;
  readonly when: keyof typeof moments;
}

const moments = {
  'before its work': 'kill -9 $PPID; exit 1',
  'after its work': 'real "$@"; kill -9 $PPID; exit 0',
  // What it was to write it would write when nobody reckons with it any more.
  'and goes to work later': 'kill -9 $PPID; sleep 1; real "$@"',
} as const;

const kills: readonly Kill[] = [
  ...[1, 2, 3].flatMap((nth) => each('iptables-legacy-restore', '', nth)),
  ...[1, 2, 3, 4, 5, 6].map((nth) => ({
    tool: 'iptables-legacy-save' as const,
    words: '-t',
    nth,
    when: 'after its work' as const,
  })),
  ...each('conntrack', '-D', 1),
];

it('a fix that is killed while a program of its is at work is settled, and nothing is written later', async () => {
  const states = await tryAll(kills, killWithin);
  expect(states).toContain('before');
});

async function killWithin(node: BrokenNode, { tool, words, nth, when }: Kill) {
  const script = `case "$*" in *'${words}'*)
  echo >>/run/lab/calls-of-tool
  if [ "$(wc -l </run/lab/calls-of-tool)" -eq ${nth} ]; then ${moments[when]}; fi
esac
real "$@"`;
  await node.breakAgain();
  await node.configure({
    commandTimeoutMs: 10_000,
    commands: { [tool]: await wrapTool(node, tool, script) },
  });
  expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(137);
  await node.configure({ commandTimeoutMs: 10_000 });
  const state = await expectSettles(node);
  if (when !== 'and goes to work later') return state;
  await node.run(['sleep', '1.2']);
  expect(await node.state()).toBe(state);
  return state;
}

function each(tool: Tool, words: string, nth: number): readonly Kill[] {
  return (['before its work', 'after its work', 'and goes to work later'] as const).map((when) => ({
    ...{ tool, words, nth, when },
  }));
}
