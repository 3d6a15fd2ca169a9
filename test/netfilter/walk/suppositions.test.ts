import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  assumptionsOf,
  either,
  nothingSupposed,
  type OpenQuestion,
  type Suppositions,
  suppose,
} from '../../../src/netfilter/walk/suppositions.ts';

function question(number: number, outcomes: number): OpenQuestion {
  const rule = { backend: 'nft', family: 'ipv4', table: 'filter', chain: 'INPUT', number, text: '' } as const;
  const assumption = { rule, kind: 'chance', reason: `question ${number}` } as const;
  return { assumptions: Array.from({ length: outcomes }, () => assumption) };
}

const numbersOf = (supposed: Suppositions) => assumptionsOf(supposed).map(({ rule }) => rule.number);

test('a question whose outcomes all lead to the same is gone', () => {
  const limit = question(1, 2);
  const die = question(2, 3);
  const [yes, no] = [0, 1].map((outcome) => suppose(nothingSupposed, limit, outcome));
  if (!yes || !no) throw new Error('no outcomes');
  expect(numbersOf(yes)).toEqual([1]);
  expect(numbersOf(either(yes, no))).toEqual([]);
  const [one, two, three] = [0, 1, 2].map((outcome) => suppose(yes, die, outcome));
  if (!one || !two || !three) throw new Error('no outcomes');
  expect(numbersOf(either(one, three))).toEqual([1, 2]);
  expect(numbersOf(either(either(one, three), two))).toEqual([1]);
});

test('what an earlier way out did not decide is gone, too, when both ways meet', () => {
  const first = question(1, 2);
  const second = question(2, 2);
  const left = suppose(nothingSupposed, first, 0);
  const stayed = suppose(nothingSupposed, first, 1);
  const all = [left, suppose(stayed, second, 0), suppose(stayed, second, 1)].reduce(either);
  expect(numbersOf(all)).toEqual([]);
});

/** Each leaf of a tree of questions goes to one of two ends; every path asks the same questions in turn. */
test('a question on which an end hangs is told, and one on which nothing hangs is not', () => {
  const depth = 4;
  const leaves = fc.array(fc.boolean(), { minLength: 2 ** depth, maxLength: 2 ** depth });
  fc.assert(
    fc.property(leaves, (ends) => {
      const questions = Array.from({ length: depth }, (_, i) => question(i + 1, 2));
      const ways = ends.map((_, leaf) =>
        questions.reduce((supposed, each, i) => suppose(supposed, each, (leaf >> i) & 1), nothingSupposed),
      );
      const here = ways.filter((_, leaf) => ends[leaf]);
      if (here.length === 0) return;
      const told = numbersOf(here.reduce(either));
      for (let i = 0; i < depth; i++) {
        const matters = ends.some((end, leaf) => end !== ends[leaf ^ (1 << i)]);
        if (matters) expect(told).toContain(i + 1);
      }
      if (ends.every((end) => end)) expect(told).toEqual([]);
    }),
  );
});

test('of many ways the questions are still told', () => {
  const questions = Array.from({ length: 40 }, (_, i) => question(i, 2));
  const ways = questions.map((each, i) =>
    suppose(suppose(nothingSupposed, each, 0), question(100 + i, 2), 1),
  );
  expect(numbersOf(ways.reduce(either)).length).toBe(80);
});
