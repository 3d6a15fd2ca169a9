import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Directive, parseCorefile, printCorefile } from '../../src/coredns/corefile.ts';
import { wordsOf } from '../../src/coredns/words.ts';
import { arbitraryCorefile } from './arbitrary-corefile.ts';
import { k3sCorefile, read } from './read.ts';

function brief({ name, args, body }: Directive): unknown {
  return [name, ...args.map(({ text }) => text), ...(body === undefined ? [] : [body.map(brief)])];
}

/** Every word that a directive holds, braces aside. */
function wordsIn({ name, start, args, body = [] }: Directive): readonly { text: string; start: number }[] {
  return [{ text: name, start }, ...args, ...body.flatMap(wordsIn)];
}

function reasonFor(text: string): string {
  const parsed = parseCorefile(text);
  return parsed.kind === 'malformed' ? parsed.reason : 'parsed';
}

test('the Corefile of k3s is taken apart', () => {
  const { blocks, imports } = read(k3sCorefile);
  expect(blocks.map(({ keys, line }) => [keys, line])).toEqual([[['.:53'], 1]]);
  expect(blocks[0]?.directives.map(brief)).toEqual([
    ['errors'],
    ['health'],
    ['ready'],
    [
      'kubernetes',
      'cluster.local',
      'in-addr.arpa',
      'ip6.arpa',
      [
        ['pods', 'insecure'],
        ['fallthrough', 'in-addr.arpa', 'ip6.arpa'],
      ],
    ],
    ['hosts', '/etc/coredns/NodeHosts', [['ttl', '60'], ['reload', '15s'], ['fallthrough']]],
    ['prometheus', ':9153'],
    ['forward', '.', '/etc/resolv.conf'],
    ['cache', '30'],
    ['loop'],
    ['reload'],
    ['loadbalance'],
    ['import', '/etc/coredns/custom/*.override'],
  ]);
  expect(imports.map(brief)).toEqual([['import', '/etc/coredns/custom/*.server']]);
});

test('keys, snippets, quotes, comments and line ends of all kinds', () => {
  const { blocks } = read(
    '\ufeff(s) {\r\n  a "b c" {\r\n    d "e\n f" # } no\r\n  }\r\n}\r\na.org, b.org\n{ "x" "say \\"hi\\" \\n"#end\n}',
  );
  expect(blocks.map(({ keys, isSnippet, line }) => ({ keys, isSnippet, line }))).toEqual([
    { keys: ['(s)'], isSnippet: true, line: 1 },
    { keys: ['a.org', 'b.org'], isSnippet: false, line: 7 },
  ]);
  expect(blocks.map(({ directives }) => directives.map(brief))).toEqual([
    [['a', 'b c', [['d', 'e\n f']]]],
    [['x', 'say "hi" \\n']],
  ]);
});

test.each([
  ['.:53 {\n  errors\n', 'line 2: "}" was expected for the block of line 1, not the end'],
  [
    '.:53 {\n  errors\nexample.org {\n  whoami\n}\n',
    'line 3: the name of a plugin was expected, not "example.org" (is "}" missing for line 1?)',
  ],
  ['. {\n  a {\n    b\n', 'line 3: "}" was expected for the "{" of line 2, not the end'],
  ['. {\n  whoami }\n', 'line 2: a new line was expected before "}"'],
  ['. {\n  import\n}\n', 'line 2: a file or a snippet was expected behind "import"'],
  ['. {\n  import a b\n}\n', 'line 2: only one file or snippet was expected behind "import"'],
  ['a.org, {\n}\n', 'line 1: another name was expected behind the comma, not "{"'],
  ['a.org,', 'line 1: another name was expected behind the comma'],
  ['(a) {\n}\n(a) {\n}\n', 'line 3: snippet (a) is already there, at line 1'],
  ['(a)\nwhoami\n', 'line 1: "{" was expected behind snippet (a)'],
  ['(a) {\n  b {\n', 'line 2: "}" was expected for the "{" of line 1, not the end'],
])('%j is malformed', (text, reason) => {
  expect(reasonFor(text)).toBe(reason);
});

describe('of any Corefile', () => {
  test('every directive lies in the text where it says', () => {
    fc.assert(
      fc.property(arbitraryCorefile, ({ text, files }) => {
        for (const each of [text, ...files.values()]) {
          if (parseCorefile(each).kind === 'malformed') continue;
          const { blocks, imports } = read(each);
          for (const directive of [...imports, ...blocks.flatMap(({ directives }) => directives)]) {
            const own = wordsOf(each.slice(directive.start, directive.end));
            const found = own.filter(({ text: word }) => word !== '{' && word !== '}');
            expect(wordsIn(directive)).toEqual(
              found.map((word) =>
                expect.objectContaining({ text: word.text, start: word.start + directive.start }),
              ),
            );
            expect(own.at(-1)?.end).toBe(directive.end - directive.start);
            const { line } = directive;
            expect(each.slice(0, directive.start).split('\n')).toHaveLength(line);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('what is printed is what was read', () => {
    fc.assert(
      fc.property(arbitraryCorefile, ({ text }) => {
        expect(printCorefile(read(text))).toBe(text);
      }),
    );
  });

  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '"',
          '#',
          '\\',
          ',',
          '\n',
          '\r',
          ' ',
          'import ',
          '(a)',
          '{$A}',
          'forward . ',
          '.:53',
        ),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 60 },
    )
    .map((parts) => parts.join(''));

  test('nothing makes it throw, and no line is named that is not there', () => {
    fc.assert(
      fc.property(soup, (text) => {
        const parsed = parseCorefile(text);
        const line = parsed.kind === 'malformed' ? parsed.line : 1;
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(text.split('\n').length);
      }),
      { numRuns: 3000 },
    );
  });

  test('size and depth make it neither throw nor hang', () => {
    const deep = `. {\n${'a {\n'.repeat(50_000)}${'}\n'.repeat(50_000)}}\n`;
    expect(parseCorefile(deep).kind).toBe('parsed');
    expect(parseCorefile('{ '.repeat(100_000)).kind).toBe('malformed');
    expect(parseCorefile('a '.repeat(200_000)).kind).toBe('parsed');
    expect(parseCorefile(`"${'\\'.repeat(300_000)}`).kind).toBe('parsed');
  });
});
