import { readFileSync } from 'node:fs';
import { Chalk } from 'chalk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { historySchemaTexts } from '../../scripts/write-schema.ts';
import type { HistoryEntry } from '../../src/engine/history/history-entry.ts';
import type { OpenRun } from '../../src/engine/history/run-record.ts';
import type { JournalledRun } from '../../src/engine/read-journal.ts';
import { buildHistory, buildRunDetails } from '../../src/report/build-history.ts';
import { historySchema, runDetailsSchema } from '../../src/report/history-schema.ts';
import { renderHistory, renderRunDetails } from '../../src/report/history-text.ts';

const zone = process.env['TZ'];
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const plain = { colour: new Chalk({ level: 0 }), width: 80 };

const fixed: HistoryEntry = {
  run: '20261121T130405123Z-1234',
  verb: 'fix',
  by: 'k3s-doctor.service',
  at: '2026-11-21T13:04:05.123Z',
  finishedAt: '2026-11-21T13:04:09.000Z',
  why: ['10.43.0.80:80/tcp → 10.42.0.5:8080 dead', 'another'],
  findings: ['iptables-ghosts ghost-service x', 'iptables-ghosts ghost-service y'],
  steps: ['write /etc/a'],
  changes: 1,
  outcome: 'reverted',
  reason: 'the API does not answer any more',
  notes: ['/etc/a is as it was'],
};
const paused: HistoryEntry = {
  ...fixed,
  run: '20261121T120000000Z-9',
  verb: 'pause',
  by: 'alice (sudo)',
  why: ['paused'],
  steps: [],
  changes: 0,
  outcome: 'paused',
};

const journal: JournalledRun = {
  runId: fixed.run,
  begin: {
    event: 'begin',
    verb: 'fix',
    by: fixed.by,
    pid: 1234,
    processStart: '1',
    bootId: 'b',
    why: fixed.why.map((message, i) => ({ key: fixed.findings[i] ?? '', message, digest: '' })),
    steps: [
      {
        kind: 'command',
        title: 'restart k3s',
        command: { tool: 'systemctl', args: ['restart', 'k3s'] },
      },
    ],
    probes: [],
  },
  beganAt: fixed.at,
  steps: new Map(),
  wereDone: new Set(),
  wasReverted: false,
  revertings: 0,
  armed: undefined,
  confirmed: false,
  end: undefined,
};
const killed: OpenRun = { run: '20261121T140000000Z-7', journal, isAtWork: false };

function historyOf(entries: readonly HistoryEntry[], open?: OpenRun, limit = 20) {
  return buildHistory({ entries, damagedLines: 0, problems: [] }, open, limit);
}

function expectValid(document: object, schema: z.ZodType): void {
  const json: unknown = JSON.parse(JSON.stringify(document));
  expect(schema.parse(json)).toEqual(json);
}

test('the table has a line for each run, newest first, and what it was for', () => {
  expect(renderHistory(historyOf([fixed, paused]), plain)).toBe(
    [
      'RUN                       WHEN                 VERB   BY                  CHANGES  OUTCOME',
      '20261121T130405123Z-1234  2026-11-21 14:04:05  fix    k3s-doctor.service  1        reverted',
      '  10.43.0.80:80/tcp → 10.42.0.5:8080 dead (and 1 more)',
      '20261121T120000000Z-9     2026-11-21 14:04:05  pause  alice (sudo)        0        paused',
      '  paused',
      '',
    ].join('\n'),
  );
});

test('a run that was taken back says by which, that one says of which, and what stands can be taken back', () => {
  const first: HistoryEntry = { ...fixed, run: '20261121T100000000Z-1', outcome: 'done' };
  const undo: HistoryEntry = { ...first, run: '20261121T110000000Z-2', verb: 'undo', undoes: first.run };
  const textOf = (...entries: HistoryEntry[]) =>
    renderHistory(buildHistory({ entries, damagedLines: 0, problems: [] }, undefined, 20), plain);
  const hint = 'Take it back: doctor undo RUN';
  expect(textOf(first)).toContain(hint);
  expect(textOf(undo, first)).toContain(`takes back run ${first.run}`);
  expect(textOf(undo, first)).toContain(`taken back by run ${undo.run}`);
  expect(textOf(undo, first)).not.toContain(hint);
  // One that failed has taken nothing back.
  expect(textOf({ ...undo, outcome: 'reverted' }, first)).toContain(hint);
});

test('a run that was killed comes first, and one that is at work is not called killed', () => {
  const text = renderHistory(historyOf([fixed], killed), plain);
  expect(text.split('\n').slice(1, 3)).toEqual([
    expect.stringMatching(/^20261121T140000000Z-7 .* killed$/),
    '  not finished: it was killed; the next fix settles it',
  ]);
  expect(renderHistory(historyOf([], { ...killed, isAtWork: true }), plain)).toMatch(
    /at-work\n {2}it is at work now/,
  );
  expect(renderHistory(historyOf([], { run: '', journal: undefined, isAtWork: false }), plain)).toMatch(
    /^\? +\?/m,
  );
});

test('a run that is in the history and still open is there once', () => {
  expect(historyOf([fixed], { ...killed, run: fixed.run }).runs.map(({ outcome }) => outcome)).toEqual([
    'killed',
  ]);
});

test('older runs are counted, an empty history is said to be so, and so is what cannot be read', () => {
  expect(renderHistory(historyOf([fixed, paused, { ...fixed, run: 'x' }], undefined, 1), plain)).toContain(
    '… and 2 older runs (--limit shows more)',
  );
  expect(renderHistory(historyOf([]), plain)).toBe('Nothing was done yet.\n');
  const damaged = buildHistory(
    { entries: [], damagedLines: 2, problems: ['a file cannot be read'] },
    undefined,
    1,
  );
  expect(renderHistory(damaged, plain)).toBe(
    'Nothing was done yet.\na file cannot be read\n2 damaged lines of the history could not be read\n',
  );
});

test('of one run everything is shown: its findings, its exact commands, and where the backups are', () => {
  const [run] = historyOf([fixed]).runs;
  if (!run) throw new Error('there is no run');
  const record = { journal, backups: ['/var/lib/k3s-doctor/backups/r/0-a'] };
  const text = renderRunDetails(buildRunDetails(run, record), plain);
  for (const part of [
    'Run 20261121T130405123Z-1234',
    'began    2026-11-21 14:04:05',
    'because  the API does not answer any more',
    '10.43.0.80:80/tcp → 10.42.0.5:8080 dead\n  another',
    'Notes\n  /etc/a is as it was',
    'Step 1: restart k3s',
    'systemctl restart k3s',
    'The node as it was before is in\n  /var/lib/k3s-doctor/backups/r/0-a',
  ])
    expect(text).toContain(part);
});

test('of a run whose journal is gone the titles of its steps are left, and how much is not', () => {
  const [run] = historyOf([{ ...fixed, omitted: { steps: 7 } }]).runs;
  if (!run) throw new Error('there is no run');
  const text = renderRunDetails(buildRunDetails(run, { journal: undefined, backups: [] }), plain);
  expect(text).toContain('Steps\n  write /etc/a\n  … and 7 more');
  expect(text).toContain('Its journal is not kept any more');
});

test('of a run that was taken back it is said by which', () => {
  const { runs } = historyOf([
    fixed,
    { ...fixed, run: 'u', verb: 'undo', outcome: 'done', undoes: fixed.run },
  ]);
  const run = runs.find(({ run }) => run === fixed.run);
  if (run === undefined) throw new Error('it is in the history');
  const text = renderRunDetails(buildRunDetails(run, { journal: undefined, backups: [] }), plain);
  expect(text).toContain('outcome  reverted, taken back by run u\n');
});

test('what is printed as JSON fits its schema', () => {
  const history = historyOf(
    [fixed, paused, { ...fixed, run: 'u', verb: 'undo', undoes: 'x', omitted: { why: 1 } }],
    killed,
  );
  expectValid(history, historySchema());
  expectValid(historyOf([], { run: '', journal: undefined, isAtWork: false }), historySchema());
  for (const run of history.runs) {
    expectValid(buildRunDetails(run, { journal, backups: ['/a'] }), runDetailsSchema());
    expectValid(buildRunDetails(run, { journal: undefined, backups: [] }), runDetailsSchema());
  }
});

test('the published schemas are those that the documents are built by: node scripts/write-schema.ts writes them', () => {
  for (const [file, text] of historySchemaTexts()) expect(readFileSync(file, 'utf8')).toBe(text);
});
