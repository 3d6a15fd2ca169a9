import fc from 'fast-check';
import type { Option, Rule } from '../../src/netfilter/rule.ts';

/** Every byte that can stand in a line, as a dump read as latin1 has it. */
const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 10);

/** Comments that somebody might write to confuse a reader of rules. */
const hostileComment = fc.oneof(
  fc.constantFrom('-j', '-g', '--comment', '!', '-', '', ' ', '"', '\\', "'", '\\"', 'it\'s "x" \\'),
  fc.constantFrom(
    '-j ACCEPT',
    '" -j ACCEPT',
    '\\" -j ACCEPT -m comment --comment "',
    '-A INPUT -j DROP',
    '[1:2] -A X',
  ),
  fc.constantFrom('default/web:http', 'default/web -> 10.42.0.5:8080', 'dnat name: "cbr0" id: "abc"'),
  fc.array(byte, { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
  fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .map((text) => Buffer.from(text).toString('latin1').replaceAll('\n', '')),
);

const bareWord = fc
  .stringMatching(/^[A-Za-z0-9_.:/,+|=<>@&*%#-]{1,20}$/)
  .filter((word) => !word.startsWith('-'));
const optionName = fc.stringMatching(/^--[a-z][a-z0-9-]{0,12}$/).filter((name) => !freeStrings.has(name));
const freeStrings = new Set([
  ...['--comment', '--name', '--hashlimit-name', '--log-prefix', '--nflog-prefix'],
  ...['--string', '--hex-string', '--match-set', '--add-set', '--del-set'],
]);

const plainOption: fc.Arbitrary<Option> = fc.record({
  name: fc.oneof(
    fc.constantFrom('-s', '-d', '-i', '-o', '-p', '-m', '--ctstate', '--dport', '-f'),
    optionName,
  ),
  values: fc.array(bareWord, { maxLength: 3 }),
  negated: fc.boolean(),
});

const commentOption: fc.Arbitrary<Option> = fc.record({
  name: fc.constantFrom('--comment', '--log-prefix', '--nflog-prefix'),
  values: hostileComment.map((comment) => [comment]),
  negated: fc.constant(false),
});

const target = fc.oneof(
  fc.constantFrom('ACCEPT', 'DROP', 'KUBE-SERVICES', 'KUBE-SEP-44QAFTDXKWK26IY3', 'ufw-user-input', 'DNAT'),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,27}$/),
);

const count = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Rules of any shape, unknown matches and hostile comments among them. */
export const arbitraryRule: fc.Arbitrary<Rule> = fc.record({
  chain: target,
  counters: fc.option(fc.record({ packets: count, bytes: count }), { nil: undefined }),
  options: fc.array(fc.oneof(plainOption, commentOption), { maxLength: 6 }),
  jump: fc.option(
    fc.record({
      kind: fc.constantFrom('jump' as const, 'goto' as const),
      target,
      options: fc.array(fc.oneof(plainOption, commentOption), { maxLength: 3 }),
    }),
    { nil: undefined },
  ),
});
