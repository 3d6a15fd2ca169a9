import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { schemaFile, schemaText } from '../../scripts/write-schema.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { examinationOf, ghost, recordedReport, refused, reportOn } from './example.ts';

/** What a reader of the JSON has: nothing in it that the schema does not know. */
function expectValid(report: object): void {
  const json: unknown = JSON.parse(JSON.stringify(report));
  expect(reportSchema().parse(json)).toEqual(json);
}

test.each([
  'kube-proxy-legacy-then-nft',
  'kube-proxy-1.22-legacy-then-1.34-nft',
  'hostport-ghost-legacy-first/2-ghost',
  'k3s-ufw-reject-with-legacy-ghosts',
  'portmap-hostport-lifecycle/0-empty',
])('the report on %s fits the schema, as a check and as a fix', async (fixture) => {
  expectValid(await recordedReport(fixture));
  expectValid(await recordedReport(fixture, { fix: { kind: 'not-applied', reason: 'dry run' } }));
});

test('so do reports on every outcome of a fix', () => {
  const reverted = { complete: false, notes: ['a'], retryable: false };
  const held = {
    ...ghost,
    remedy: { kind: 'held', reason: 'b' },
    activity: { packets: 1, answered: true },
  } as const;
  const examinations = [
    examinationOf({ outcome: 'findings', findings: [ghost, refused, held], reasons: ['b'], notes: ['c'] }),
  ];
  expectValid(reportOn(examinations, { fix: { kind: 'nothing-to-do' } }));
  expectValid(reportOn(examinations, { fix: { kind: 'done', notes: ['a'] } }));
  expectValid(reportOn(examinations, { fix: { kind: 'moved-on', reason: 'x', reverted } }));
  expectValid(reportOn(examinations, { fix: { kind: 'failed', reason: 'x', reverted } }));
  const settled = {
    run: 'r',
    verb: 'fix',
    why: [],
    outcome: 'reverted',
    notes: ['a'],
    isOpen: false,
  } as const;
  expectValid(
    reportOn(examinations, { fix: { kind: 'nothing-to-do' }, settled, notices: ['b'], refused: ['c'] }),
  );
});

test('a report of another shape does not fit', () => {
  const report = reportOn([examinationOf({ outcome: 'findings', findings: [ghost] })]);
  for (const wrong of [
    { schemaVersion: 2 },
    { exitCode: 'one' },
    { checks: undefined },
    { fix: { outcome: 'perhaps' } },
  ]) {
    expect(reportSchema().safeParse({ ...report, ...wrong }).success).toBe(false);
  }
});

test('the published schema is the one that reports are built by: node scripts/write-schema.ts writes it', () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(schemaText());
  expect(JSON.parse(schemaText())).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(reportSchema()))));
});
