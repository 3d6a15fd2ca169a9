import { describe, expect, it } from 'vitest';
import { type ReportLine, reportLines } from '../../src/report/report-lines.ts';
import type { Report } from '../../src/report/report-schema.ts';

type CheckReport = Report['checks'][number];
type FindingReport = CheckReport['findings'][number];

const ghost: FindingReport = {
  code: 'ghost-service',
  subject: 'legacy ipv4 nat 10.43.0.80:80/tcp',
  severity: 'error',
  message: '10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy)',
  effect: 'masks',
  evidence: [],
  remedy: { kind: 'planned' },
};

const reportOf = (check: Partial<CheckReport>, rest: Partial<Report> = {}): Report => ({
  schemaVersion: 1,
  tool: { name: 'k3s-doctor', version: '1.2.3' },
  run: {
    id: '20261120T183456000Z-1',
    verb: rest.fix ? 'fix' : 'check',
    startedAt: '2026-11-20T18:34:56.000Z',
    finishedAt: '2026-11-20T18:34:57.000Z',
  },
  exitCode: 0,
  checks: [
    {
      id: 'iptables-ghosts',
      title: '',
      why: '',
      outcome: 'ok',
      reasons: [],
      findings: [],
      limits: [],
      notes: [],
      ...check,
    },
  ],
  plan: [],
  notices: [],
  ...rest,
});
const texts = (lines: readonly ReportLine[]) => lines.map(({ level, text }) => [level, text]);

describe('a check', () => {
  it('that finds something has a line for each finding, with what keeps it from being repaired', () => {
    const findings: FindingReport[] = [
      ghost,
      { ...ghost, severity: 'warning', remedy: { kind: 'none', reason: 'a foreign rule refers to it' } },
      { ...ghost, remedy: { kind: 'held', reason: 'seen once' } },
    ];

    const lines = reportLines(reportOf({ outcome: 'findings', findings }));

    expect(texts(lines)).toEqual([
      ['error', `iptables-ghosts: error: ${ghost.message}`],
      ['warn', `iptables-ghosts: warning: ${ghost.message} [not repairable: a foreign rule refers to it]`],
      ['error', `iptables-ghosts: error: ${ghost.message} [held: seen once]`],
      ['info', 'check: 3 problems'],
    ]);
    expect(lines[0]?.fields).toEqual({
      check: 'iptables-ghosts',
      code: 'ghost-service',
      severity: 'error',
      effect: 'masks',
      remedy: 'planned',
    });
  });

  it('that cannot judge, or not all, has a line that says why', () => {
    const reasons = ['iptables-legacy-save: exit code 4', 'no crictl'];
    expect(texts(reportLines(reportOf({ outcome: 'unknown', reasons }, { exitCode: 2 })))).toEqual([
      ['warn', 'iptables-ghosts: unknown: iptables-legacy-save: exit code 4; no crictl'],
      ['info', 'check: could not be determined'],
    ]);
    expect(texts(reportLines(reportOf({ outcome: 'findings', findings: [ghost], reasons })))[1]).toEqual([
      'warn',
      'iptables-ghosts: in part unknown: iptables-legacy-save: exit code 4; no crictl',
    ]);
  });

  it('that is well, or does not apply, has none', () => {
    expect(texts(reportLines(reportOf({})))).toEqual([['info', 'check: healthy']]);
    const skipped = reportOf({ outcome: 'skipped', reasons: ['no kube-proxy here'] });
    expect(texts(reportLines(skipped))).toEqual([['info', 'check: healthy']]);
  });

  it('with very many findings has a hundred lines, and one for the rest that is as grave as they are', () => {
    const idle: FindingReport = { ...ghost, severity: 'warning' };
    const findings = [...Array.from({ length: 150 }, () => ghost), idle];

    const lines = texts(reportLines(reportOf({ outcome: 'findings', findings })));

    expect(lines).toHaveLength(102);
    expect(lines[100]).toEqual([
      'error',
      'iptables-ghosts: and 51 more (doctor check iptables-ghosts --verbose shows all)',
    ]);
  });

  it('cannot make two lines of one, whatever a name on the node contains', () => {
    const finding = { ...ghost, message: 'web\nsshd[1]: error: forged\u001b[2K\u2028' };
    expect(texts(reportLines(reportOf({ outcome: 'findings', findings: [finding] })))[0]).toEqual([
      'error',
      'iptables-ghosts: error: web sshd[1]: error: forged [2K ',
    ]);
  });
});

describe('an earlier run that was killed', () => {
  it.each([
    ['reverted', 'warn', 'was killed at its work and has been taken back'],
    ['incomplete', 'error', 'was killed at its work and could not be taken back'],
  ] as const)('and is %s comes first', (outcome, level, how) => {
    const settled = { run: '20261120T183000000Z-9', verb: 'fix', outcome, notes: ['nat: 3 chains'] };
    const lines = reportLines(reportOf({}, { settled, fix: { outcome: 'nothing-to-do', notes: [] } }));
    expect(texts(lines)[0]).toEqual([
      level,
      `settled: an earlier fix, run 20261120T183000000Z-9, ${how}; nat: 3 chains`,
    ]);
  });
});

it('each notice has a line', () => {
  expect(texts(reportLines(reportOf({}, { notices: ['state.json was unreadable'] })))[0]).toEqual([
    'warn',
    'check: state.json was unreadable',
  ]);
});

describe('what a fix came to', () => {
  const plan = [{ title: 'legacy nat: remove 3 chains', command: '', changes: 3, reversible: true }];

  it('when it is done: what was done, by which run, and which findings are gone', () => {
    const report = reportOf(
      { outcome: 'findings', findings: [ghost] },
      { plan, fix: { outcome: 'done', notes: [] } },
    );
    expect(texts(reportLines(report))).toEqual([
      ['error', `iptables-ghosts: error: ${ghost.message} [repaired]`],
      ['info', 'fix: done: legacy nat: remove 3 chains (run 20261120T183456000Z-1)'],
    ]);
  });

  it.each([
    [{ outcome: 'nothing-to-do', notes: [] }, 'info', 'fix: nothing to do'],
    [{ outcome: 'not-applied', reason: 'dry run', notes: [] }, 'info', 'fix: not applied: dry run'],
    [
      { outcome: 'moved-on', reason: 'nat has changed', rollback: 'complete', notes: [] },
      'warn',
      'fix: moved on: nat has changed: roll-back complete',
    ],
    [
      { outcome: 'moved-on', reason: 'nat has changed', rollback: 'incomplete', notes: ['missing: -A X'] },
      'error',
      'fix: moved on: nat has changed: roll-back incomplete; missing: -A X',
    ],
    [
      { outcome: 'failed', reason: 'exit code 1', rollback: 'complete', notes: [] },
      'error',
      'fix: failed: exit code 1: roll-back complete',
    ],
  ] as const)('%j', (fix, level, text) => {
    expect(texts(reportLines(reportOf({}, { plan, fix }))).at(-1)).toEqual([
      level,
      `${text} (run 20261120T183456000Z-1)`,
    ]);
  });
});
