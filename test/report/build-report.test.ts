import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/engine/finding.ts';
import type { ReportInput } from '../../src/report/build-report.ts';
import { examinationOf, ghost, harmless, recordedReport, refused, reportOn } from './example.ts';

const found = (...findings: readonly (typeof ghost)[]) => examinationOf({ outcome: 'findings', findings });
const reverted = { complete: true, notes: ['what was removed is back'], retryable: false };
const halfReverted = { complete: false, notes: ['1 line could not be restored'], retryable: false };
const held: Finding = { ...ghost, remedy: { kind: 'held', reason: 'seen for the first time' } };
const settled = { run: '20261120T180000000Z-1', verb: 'fix', notes: ['a'], isOpen: false } as const;

type Fix = NonNullable<ReportInput['fix']>;

describe('the exit code of a check is', () => {
  test.each([
    ['0 when all is well', [examinationOf({})], 0],
    [
      '0 when a check was skipped',
      [examinationOf({ outcome: 'skipped', reasons: ['no kubelet runs here'] })],
      0,
    ],
    ['0 when what was found does no harm now', [found(harmless)], 0],
    ['1 when something was found', [found(ghost)], 1],
    ['1 when something was found beside what does no harm', [found(harmless, ghost)], 1],
    [
      '2 when something could not be determined',
      [examinationOf({ outcome: 'unknown', reasons: ['no crictl'] })],
      2,
    ],
    [
      '2 when what was found does no harm and something could not be determined',
      [examinationOf({ outcome: 'findings', findings: [harmless], reasons: ['no crictl'] })],
      2,
    ],
    [
      '1 when something was found and something else could not be determined',
      [examinationOf({ outcome: 'findings', findings: [ghost], reasons: ['no crictl'] })],
      1,
    ],
    [
      '1 when one check found something and another could not tell',
      [found(ghost), examinationOf({ outcome: 'unknown', reasons: ['x'] })],
      1,
    ],
  ])('%s', (_what, examinations, exitCode) => {
    expect(reportOn(examinations).exitCode).toBe(exitCode);
  });

  test('1 for a warning already, if that was asked for', () => {
    expect(reportOn([found(harmless)], { failOn: 'warning' }).exitCode).toBe(1);
  });
});

describe('the exit code of a fix is', () => {
  const done: Fix = { kind: 'done', notes: [] };

  test.each<[string, Fix, readonly (typeof ghost)[], number]>([
    ['0 when everything was fixed', done, [ghost, harmless], 0],
    ['0 when there was nothing to do', { kind: 'nothing-to-do' }, [], 0],
    ['1 when something cannot be fixed', done, [ghost, refused], 1],
    ['1 when something is left alone for now', done, [ghost, held], 1],
    ['1 when it was not applied', { kind: 'not-applied', reason: 'dry run' }, [ghost], 1],
    ['1 when there is nothing that could be done', { kind: 'nothing-to-do' }, [refused], 1],
    [
      '1 when the node kept changing and nothing was done',
      { kind: 'moved-on', reason: 'x', reverted },
      [ghost],
      1,
    ],
    ['3 when it failed and was rolled back', { kind: 'failed', reason: 'x', reverted }, [ghost], 3],
    [
      '3 when it failed and was not rolled back',
      { kind: 'failed', reason: 'x', reverted: halfReverted },
      [ghost],
      3,
    ],
  ])('%s', (_what, fix, findings, exitCode) => {
    expect(reportOn([found(...findings)], { fix }).exitCode).toBe(exitCode);
  });

  test('2 when everything that was found was fixed and something could not be determined', () => {
    const examination = examinationOf({ outcome: 'findings', findings: [ghost], reasons: ['no crictl'] });
    expect(reportOn([examination], { fix: done }).exitCode).toBe(2);
  });

  test('3 when an earlier run could not be taken back, whatever else happened', () => {
    const fix: Fix = { kind: 'not-applied', reason: 'x' };
    expect(reportOn([], { fix, settled: { ...settled, outcome: 'incomplete' } }).exitCode).toBe(3);
    expect(
      reportOn([], { fix: { kind: 'nothing-to-do' }, settled: { ...settled, outcome: 'reverted' } }).exitCode,
    ).toBe(0);
  });

  test('1 when an undo had to leave something as it is', () => {
    expect(reportOn([], { fix: done, refused: ['chain X is there again'] }).exitCode).toBe(1);
    expect(reportOn([], { fix: done, refused: [] }).exitCode).toBe(0);
  });

  test('1 when an undo was given up, stopped or not wanted, and 0 when it was only to be planned', () => {
    for (const kind of ['moved-on', 'stopped'] as const) {
      expect(reportOn([], { fix: { kind, reason: 'x', reverted } }).exitCode).toBe(1);
    }
    const fix: Fix = { kind: 'not-applied', reason: 'x' };
    expect(reportOn([], { fix }).exitCode).toBe(1);
    expect(reportOn([], { fix, isRehearsal: true }).exitCode).toBe(0);
  });

  // An earlier step of the plan was taken back in part, and only the later one moved on.
  test('3 when the node changed between two steps and the first could not be taken back', () => {
    const fix: Fix = { kind: 'moved-on', reason: 'x', reverted: halfReverted };
    expect(reportOn([found(ghost)], { fix }).exitCode).toBe(3);
  });
});

test('a check that found something has the title of that', () => {
  expect(reportOn([found(ghost)]).checks[0]).toMatchObject({
    title: 'Ghost iptables chains',
    outcome: 'findings',
  });
  expect(reportOn([examinationOf({})]).checks[0]).toMatchObject({
    title: 'No ghost iptables chains',
    outcome: 'ok',
  });
});

test('a report on a fix has the plan as the exact commands and batches', async () => {
  const { plan } = await recordedReport('hostport-ghost-legacy-first/2-ghost', {
    fix: { kind: 'not-applied', reason: 'dry run' },
  });
  expect(plan).toMatchObject([
    {
      title: 'iptables-legacy nat: remove 1 chain and 1 rule in one transaction',
      command: 'iptables-legacy-restore --noflush --counters -w 5',
      changes: 2,
      reversible: true,
    },
    {
      command: 'conntrack -D -f ipv4 -p tcp --orig-port-dst 80 -r 10.42.1.2 --reply-port-src 8080',
      changes: 0,
      reversible: false,
    },
  ]);
  expect(plan[0]?.input).toMatch(
    /^\*nat\n:CNI-DN-ee38aa4d9699bb275365c - \[0:0\]\n-D CNI-HOSTPORT-DNAT .*\n-X CNI-DN-ee38aa4d9699bb275365c\nCOMMIT\n$/,
  );
});

test('a report tells how an earlier run was brought to an end, without what only the engine needs', () => {
  const report = reportOn([], { settled: { ...settled, outcome: 'reverted' } });
  const { run, verb, notes } = settled;
  expect(report.settled).toEqual({ run, verb, outcome: 'reverted', notes });
});

test('a report on a check has no plan', async () => {
  expect((await recordedReport('hostport-ghost-legacy-first/2-ghost')).plan).toEqual([]);
});

test.each<[Fix, object]>([
  [{ kind: 'nothing-to-do' }, { outcome: 'nothing-to-do', notes: [] }],
  [
    { kind: 'not-applied', reason: 'dry run' },
    { outcome: 'not-applied', reason: 'dry run', notes: [] },
  ],
  [
    { kind: 'done', notes: ['a'] },
    { outcome: 'done', notes: ['a'] },
  ],
  [
    { kind: 'failed', reason: 'x', reverted },
    { outcome: 'failed', reason: 'x', notes: reverted.notes, rollback: 'complete' },
  ],
  [
    { kind: 'failed', reason: 'x', reverted: halfReverted },
    { outcome: 'failed', reason: 'x', notes: halfReverted.notes, rollback: 'incomplete' },
  ],
])('what became of a fix is told: %j', (fix, told) => {
  expect(reportOn([examinationOf({})], { fix }).fix).toEqual(told);
});
