import { expect, test } from 'vitest';
import { parseCorefile } from '../../src/coredns/corefile.ts';
import { resolveForwards } from '../../src/coredns/forwards.ts';
import { placed, saidByCoreDns, type Verdict } from './said-by-coredns.ts';

/** Why CoreDNS would not start; undefined: it would. */
function objection({ corefile, files = {} }: Verdict): string | undefined {
  const parsed = parseCorefile(corefile);
  if (parsed.kind === 'malformed') return parsed.reason;
  const all = placed({ NodeHosts: '', Corefile: corefile, ...files });
  const resolved = resolveForwards(parsed.corefile, all);
  return resolved.kind === 'broken' ? resolved.reason : resolved.refused?.[0]?.reason;
}

const verdicts = saidByCoreDns();

test('there is enough of both', () => {
  expect(verdicts.filter(({ starts }) => starts).length).toBeGreaterThan(120);
  expect(verdicts.filter(({ starts }) => !starts).length).toBeGreaterThan(120);
});

test('what CoreDNS starts with is taken', () => {
  const wrong = verdicts.filter((verdict) => verdict.starts && objection(verdict) !== undefined);
  expect(wrong.map((verdict) => [verdict.corefile, objection(verdict)])).toEqual([]);
});

test('what CoreDNS does not start with is refused', () => {
  const wrong = verdicts.filter((verdict) => !verdict.starts && objection(verdict) === undefined);
  expect(wrong).toEqual([]);
});

test('where CoreDNS says what cannot be served, it is said in its words', () => {
  // What address an interface has is not known here.
  const served = verdicts.filter(
    ({ says = '', corefile }) => says.startsWith('cannot serve') && !corefile.includes('bind lo'),
  );
  expect(served.length).toBeGreaterThan(10);
  for (const verdict of served) expect(objection(verdict)).toContain(verdict.says);
});

test('where CoreDNS names the file of an unknown plugin, the same one is named', () => {
  const unknown = verdicts.filter(({ says = '' }) =>
    /\/custom\/\S+ - .*(Unknown directive|not found)/.test(says),
  );
  expect(unknown.length).toBeGreaterThan(2);
  for (const verdict of unknown) {
    const [, file, line] = /^(\S+):(\d+) /.exec(verdict.says ?? '') ?? [];
    expect(objection(verdict)).toMatch(`${file}, line ${line}: `);
  }
});
