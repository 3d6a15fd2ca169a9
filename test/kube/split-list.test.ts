import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitList } from '../../src/kube/split-list.ts';

const indent = fc.constantFrom(undefined, 1, '\t');
const field = fc.constantFrom('kind', 'metadata', 'item', 'Items', 'x"items', 'items\\');

test('apart and together again is the same list', () => {
  const list = fc.record({
    before: fc.dictionary(field, fc.jsonValue()),
    items: fc.array(fc.jsonValue()),
    after: fc.dictionary(fc.constantFrom('status', 'end'), fc.jsonValue()),
  });
  fc.assert(
    fc.property(list, indent, ({ before, items, after }, space) => {
      const split = splitList(JSON.stringify({ ...before, items, ...after }, undefined, space));
      expect(split?.envelope).toEqual(json({ ...before, items: [], ...after }));
      expect(split?.items.map((text) => JSON.parse(text))).toEqual(json(items));
      expect(JSON.parse(`[${split?.itemsText}]`)).toEqual(json(items));
    }),
  );
});

test('what is no list is all envelope', () => {
  const others = fc.oneof(
    fc.jsonValue(),
    fc.record({ items: fc.jsonValue() }).filter(({ items }) => !Array.isArray(items)),
    fc.record({ list: fc.record({ items: fc.array(fc.jsonValue()) }) }),
    fc.tuple(fc.constant('items'), fc.array(fc.jsonValue())),
  );
  fc.assert(
    fc.property(others, indent, (value, space) => {
      expect(splitList(JSON.stringify(value, undefined, space))).toEqual({
        envelope: json(value),
        items: [],
        itemsText: '',
      });
    }),
  );
});

test('a text cut anywhere is not JSON', () => {
  const text = JSON.stringify({ kind: 'List', items: [{ a: '\\"]' }, [1], 'b'], end: { c: ',' } });
  for (let length = 0; length < text.length; length += 1) {
    expect(splitList(text.slice(0, length))).toBeUndefined();
  }
});

test.each(['{"items":[1]} x', '{"items":[1]}}', '{"items" 5:[1]}', 'x{"items":[1]}'])(
  '%s is not JSON',
  (text) => {
    expect(splitList(text)).toBeUndefined();
  },
);

test.each(['[1,]', '[,1]', '[1 2]', '[{"a":1]', '[{"a":1}{"b":2}]'])(
  'an element of %s is not JSON',
  (array) => {
    const elements = splitList(`{"items":${array}}`)?.items ?? [''];
    expect(() => elements.map((text) => JSON.parse(text))).toThrow(SyntaxError);
  },
);

function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
