import type { Tool } from '../../../src/host/tools.ts';
import type { Fault } from './try-fault.ts';

/** What a program does instead of its work; null: it is not there. */
const failures = {
  fails: 'exit 1',
  hangs: 'exec sleep infinity',
  'is killed': 'kill -9 $$',
  'prints garbage': "cat >/dev/null; echo '%&$ garbage'; exit 0",
  'is absent': null,
} as const;

type Way = keyof typeof failures;
const allWays: readonly Way[] = ['fails', 'hangs', 'is killed', 'prints garbage', 'is absent'];

/** The tool does none of its work, whenever it is called. */
export function always(tool: Tool, where: string, ways: readonly Way[] = allWays): readonly Fault[] {
  return ways.map((way) => ({ where, what: way, tools: { [tool]: failures[way] } }));
}

/** It does so in its nth call that has these words in its arguments, or from that call on. */
export function atCall(
  tool: Tool,
  where: string,
  { words, nth, ways = ['fails', 'hangs', 'is killed', 'prints garbage'] }: Call,
): readonly Fault[] {
  return ways.map((way) => ({
    where,
    what: way,
    tools: { [tool]: countCalls(words, nth, failures[way] ?? '') },
  }));
}

/** It does its work, and only then something else. */
export function afterItsWork(
  tool: Tool,
  where: string,
  { words, nth, ways = ['fails', 'hangs', 'is killed'] }: Call,
): readonly Fault[] {
  return ways.map((way) => ({
    where,
    what: `does its work and ${way}`,
    tools: { [tool]: countCalls(words, nth, `real "$@"; ${failures[way] ?? ''}`) },
  }));
}

interface Call {
  readonly words: string;
  /** `2`: the second; `2+`: the second and all after it. */
  readonly nth: string;
  readonly ways?: readonly Exclude<Way, 'is absent'>[];
}

function countCalls(words: string, nth: string, failure: string): string {
  const [test, number] = nth.endsWith('+') ? ['-ge', nth.slice(0, -1)] : ['-eq', nth];
  return `case "$*" in *'${words}'*)
  echo >>/run/lab/calls-of-tool
  if [ "$(wc -l </run/lab/calls-of-tool)" ${test} ${number} ]; then ${failure}; fi
esac
real "$@"`;
}
