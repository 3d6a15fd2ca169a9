import { quoteString, splitWords } from './words.ts';

/** One rule, read. Options keep their order; what is not understood is kept as it is. */
export interface Rule {
  readonly chain: string;
  readonly counters: RuleCounters | undefined;
  readonly options: readonly Option[];
  readonly jump: Jump | undefined;
}

export interface RuleCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** `! --ctstate NEW` is `{name: '--ctstate', values: ['NEW'], negated: true}`; `-m NAME` is an option too. */
export interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
}

export interface Jump {
  /** `-j` returns to the caller, `-g` does not. */
  readonly kind: 'jump' | 'goto';
  readonly target: string;
  readonly options: readonly Option[];
}

/** Reads `[packets:bytes] -A CHAIN ...`. Undefined when it is no such line. */
export function parseRule(line: string): Rule | undefined {
  const words = splitWords(line);
  if (!words) return undefined;
  const counters = parseCounters(words[0]);
  const from = counters ? 1 : 0;
  const chain = words[from + 1];
  if (words[from] !== '-A' || chain === undefined) return undefined;
  const { options, rest } = readOptions(words, from + 2);
  return { chain, counters, options, jump: readJump(words, rest) };
}

/** Prints a rule the way iptables-save does. */
export function printRule(rule: Rule): string {
  const counters = rule.counters ? `[${rule.counters.packets}:${rule.counters.bytes}] ` : '';
  const jump = rule.jump
    ? [rule.jump.kind === 'jump' ? '-j' : '-g', rule.jump.target, ...rule.jump.options.map(printOption)]
    : [];
  return `${counters}${['-A', rule.chain, ...rule.options.map(printOption), ...jump].join(' ')}`;
}

/** The first value of an option of the rule itself (not of its target), undefined when absent or negated. */
export function optionValue(rule: Rule, name: string): string | undefined {
  return rule.options.find((option) => option.name === name && !option.negated)?.values[0];
}

/** The first value of an option of the rule's target, e.g. `--to-destination`. */
export function jumpValue(rule: Rule, name: string): string | undefined {
  return rule.jump?.options.find((option) => option.name === name)?.values[0];
}

/** A rule line without the counters in front: what stays the same while packets flow. */
export function withoutCounters(line: string): string {
  return line.startsWith('[') ? line.slice(line.indexOf('] ') + 2) : line;
}

function parseCounters(word: string | undefined): RuleCounters | undefined {
  const [, packets, bytes] = /^\[(\d+):(\d+)\]$/.exec(word ?? '') ?? [];
  if (packets === undefined || bytes === undefined) return undefined;
  return { packets: BigInt(packets), bytes: BigInt(bytes) };
}

/**
 * These take one free string whatever it looks like. iptables prints a comment of letters and
 * dashes bare, so `--comment -j -j ACCEPT` is a rule whose comment is "-j".
 */
const freeStrings = new Set([
  '--comment',
  '--name',
  '--hashlimit-name',
  '--log-prefix',
  '--nflog-prefix',
  '--string',
  '--hex-string',
  '--match-set',
  '--add-set',
  '--del-set',
]);

function readOptions(words: readonly string[], from: number): { options: Option[]; rest: number } {
  const options: Option[] = [];
  let at = from;
  while (at < words.length) {
    const negated = words[at] === '!';
    const name = words[negated ? at + 1 : at];
    if (name === undefined || (!negated && (name === '-j' || name === '-g'))) break;
    let end = at + (negated ? 2 : 1);
    if (freeStrings.has(name)) end++;
    while (end < words.length && !startsOption(words[end])) end++;
    options.push({ name, values: words.slice(at + (negated ? 2 : 1), end), negated });
    at = end;
  }
  return { options, rest: at };
}

function startsOption(word: string | undefined): boolean {
  return word === '!' || (word !== undefined && word.length > 1 && word.startsWith('-'));
}

function readJump(words: readonly string[], at: number): Jump | undefined {
  const target = words[at + 1];
  if (target === undefined) return undefined;
  const { options } = readOptions(words, at + 2);
  return { kind: words[at] === '-g' ? 'goto' : 'jump', target, options };
}

function printOption({ name, values, negated }: Option): string {
  const printed = values.map((value, i) => (i === 0 ? printValue(name, value) : value));
  return [...(negated ? ['!'] : []), name, ...printed].join(' ');
}

/** Each match prints its values in its own way; most print them bare. */
function printValue(name: string, value: string): string {
  switch (name) {
    case '--comment':
    case '--log-prefix':
    case '--nflog-prefix':
      return quoteString(value);
    case '--string':
    case '--hex-string':
    case '--u32':
    case '--bytecode':
      return `"${value.replace(/["\\]/g, '\\$&')}"`;
    case '--nfacct-name':
      return ` ${value}`;
    default:
      return value;
  }
}
