import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withUpstreams } from '../../src/coredns/forwards.ts';
import { line, taste } from './arbitrary-corefile.ts';
import { forwardsOf, read } from './read.ts';

function replaced(text: string, ...addresses: string[]): string {
  const [forward] = forwardsOf(text);
  if (forward === undefined) throw new Error('no forward');
  return withUpstreams(read(text), forward, addresses);
}

function serversIn(text: string): readonly string[] {
  return forwardsOf(text)[0]?.upstreams.map((each) => each.text) ?? [];
}

describe('the servers of a forward are replaced, and nothing else', () => {
  test.each([
    ['. {\n  forward . 8.8.8.8 1.1.1.1\n}\n', '. {\n  forward . 10.0.0.1 10.0.0.2\n}\n'],
    ['. {\n  forward . /etc/resolv.conf\n}\n', '. {\n  forward . 10.0.0.1 10.0.0.2\n}\n'],
    ['. {\r\n\tforward\t.\t8.8.8.8\t1.1.1.1\r\n}\r\n', '. {\r\n\tforward\t.\t10.0.0.1\t10.0.0.2\r\n}\r\n'],
    ['. {\n  forward . 8.8.8.8#why\n}', '. {\n  forward . 10.0.0.1 10.0.0.2#why\n}'],
    ['. {\n  forward . 8.8.8.8#why 1.1.1.1 9.9.9.9 # x\n}', '. {\n  forward . 10.0.0.1#why 10.0.0.2 # x\n}'],
    ['. {\n  forward . "8.8.8.8""1.1.1.1"\n}', '. {\n  forward . "10.0.0.1""10.0.0.2"\n}'],
    [
      '. {\n  forward . "8.8.8.8" 1.1.1.1 "9.9.9.9"{\n  }\n}',
      '. {\n  forward . "10.0.0.1" 10.0.0.2 {\n  }\n}',
    ],
    [
      '. {\n  forward . 8.8.8.8 8.8.4.4 1.1.1.1 {\n    policy sequential\n    max_fails 3\n  }\n  cache 30 # 8.8.8.8\n}\n',
      '. {\n  forward . 10.0.0.1 10.0.0.2 {\n    policy sequential\n    max_fails 3\n  }\n  cache 30 # 8.8.8.8\n}\n',
    ],
  ])('%j', (before, after) => {
    expect(replaced(before, '10.0.0.1', '10.0.0.2')).toBe(after);
    expect(serversIn(after)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  const address = fc.ipV4();
  const part = fc.record({ taste, before: fc.constantFrom('', 'errors', 'cache 30', '# forward . 9.9.9.9') });

  test('however it is written', () => {
    fc.assert(
      fc.property(
        fc.array(address, { minLength: 1, maxLength: 5 }),
        fc.array(fc.oneof(address, fc.ipV6()), { minLength: 1, maxLength: 5 }),
        part,
        fc.boolean(),
        (old, fresh, { taste, before }, hasOptions) => {
          const head = `\ufeff.:53 {\n${before}${taste.end}`;
          const rest = hasOptions ? '\tmax_fails  "3"# 8.8.8.8\n\t}\r\n' : '';
          const words = line(['forward', '.', ...old, ...(hasOptions ? ['{'] : [])], taste);
          const tail = `${rest}  loadbalance\n}\nb.test {\n forward . 9.9.9.9\n}\n`;
          const text = head + words + tail;
          const result = replaced(text, ...fresh);
          expect(serversIn(result)).toEqual(fresh);
          const first = `${taste.isQuoted ? '"' : ''}${fresh[0]}`;
          const upTo = words.indexOf(old[0] ?? '') - (taste.isQuoted ? 1 : 0);
          expect(result.startsWith(head + words.slice(0, upTo) + first)).toBe(true);
          const quote = taste.isQuoted ? '"' : '';
          const behind = words.slice(
            words.lastIndexOf(`${old.at(-1)}${quote}`) + `${old.at(-1)}${quote}`.length,
          );
          expect(result.endsWith(behind + tail)).toBe(true);
          const middle = result.slice(
            (head + words.slice(0, upTo)).length,
            result.length - (behind + tail).length,
          );
          expect(middle.split(/[\s"]+/).filter((word) => word !== '')).toEqual(fresh);
          expect(replaced(result, ...fresh)).toBe(result);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('there and back again is what there was, where as many were written', () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 4 }), part, (old, { taste }) => {
        const text = `. {\n${line(['forward', '.', ...old], taste)}}\n`;
        const other = old.map((_, i) => `10.0.0.${i}`);
        expect(replaced(replaced(text, ...other), ...old)).toBe(text);
      }),
    );
  });

  test('no address is written that would be another word', () => {
    const text = '. {\n  forward . 8.8.8.8\n}\n';
    for (const wrong of ['', '10.0.0.1 {', '10.0.0.1#', '"', '10.0.0.1\n}'])
      expect(() => replaced(text, wrong)).toThrow('no address');
    expect(() => replaced(text)).toThrow('a forward without servers');
  });

  test('a forward of another text is not written', () => {
    const [forward] = forwardsOf('. {\n  forward . 8.8.8.8\n}\n');
    if (forward === undefined) throw new Error('no forward');
    expect(() =>
      withUpstreams(read('. {\n  errors\n  forward . 8.8.8.8\n}\n'), forward, ['10.0.0.1']),
    ).toThrow('not of this text');
  });
});
