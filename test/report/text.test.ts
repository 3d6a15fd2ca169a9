import { Chalk } from 'chalk';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../src/engine/check.ts';
import type { ReportInput } from '../../src/report/build-report.ts';
import { renderPlan, renderText } from '../../src/report/text.ts';
import { examinationOf, ghost, harmless, plain, recordedReport, refused, reportOn } from './example.ts';

const found = (...findings: readonly (typeof ghost)[]) => examinationOf({ outcome: 'findings', findings });
const fixtures = [
  'kube-proxy-legacy-then-nft',
  'kube-proxy-1.22-legacy-then-1.34-nft',
  'k3s-ufw-reject-with-legacy-ghosts',
];
const escapeCode = String.fromCharCode(27);

/** Lines that are too long though they could have been broken. */
function longLines(text: string, width = 80): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.length > width && !line.split(' ').some((word) => word.length > width - 20));
}

test('a report tells what is wrong, what it hurts and what to type', () => {
  expect(renderText(reportOn([found(ghost, harmless, refused)]), plain)).toBe(
    `✗ iptables-ghosts  Ghost iptables chains
  Chains in the backend that nobody maintains, or of pods that are gone, send
  live traffic to dead addresses.
  ● 10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy)
    · live: 10.42.0.9:8080 (nft)
    masks the live rule now
  ○ 10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy)
    · live: 10.42.0.9:8080 (nft)
    masks the live rule now
  ● 10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy)
    · live: 10.42.0.9:8080 (nft)
    masks the live rule now
  not repairable: a rule of somebody else refers to it

3 problems.  Show the plan: doctor fix --dry-run  Repair: doctor fix
`,
  );
});

describe('at 80 columns no line is longer', () => {
  test.each(fixtures)('on %s', async (fixture) => {
    for (const verbose of [false, true]) {
      expect(longLines(renderText(await recordedReport(fixture), { ...plain, verbose }))).toEqual([]);
    }
  });

  const words = fc
    .array(fc.stringMatching(/^[a-z0-9./:→·-]{1,30}$/), { minLength: 1, maxLength: 60 })
    .map((all) => all.join(' '));
  const diagnosis: fc.Arbitrary<Partial<Diagnosis>> = fc.record({
    outcome: fc.constantFrom('ok', 'findings', 'skipped', 'unknown'),
    reasons: fc.array(words, { maxLength: 3 }),
    notes: fc.array(words, { maxLength: 3 }),
    findings: fc.array(
      fc.record({
        ...{
          code: fc.constant('x'),
          subject: fc.constant('x'),
          severity: fc.constantFrom('error', 'warning', 'info'),
          effect: fc.constant('masks'),
        },
        message: words,
        evidence: fc.array(fc.record({ source: fc.constantFrom('legacy nat', 'effect'), observed: words }), {
          maxLength: 3,
        }),
        remedy: fc.oneof(
          fc.constant({ kind: 'planned' } as const),
          words.map((reason) => ({ kind: 'none', reason }) as const),
          words.map((reason) => ({ kind: 'held', reason }) as const),
        ),
      }),
      { maxLength: 12 },
    ),
  });
  const reverted = fc.record({
    complete: fc.boolean(),
    notes: fc.array(words, { maxLength: 3 }),
    retryable: fc.constant(false),
  });
  const fix: fc.Arbitrary<ReportInput['fix']> = fc.oneof(
    fc.constant({ kind: 'nothing-to-do' } as const),
    fc.record({ kind: fc.constant('done' as const), notes: fc.array(words, { maxLength: 3 }) }),
    fc.record({ kind: fc.constantFrom('moved-on', 'failed'), reason: words, reverted }),
  );

  test('whatever a check says and a fix does', () => {
    fc.assert(
      fc.property(diagnosis, fc.option(fix, { nil: undefined }), fc.boolean(), (said, outcome, verbose) => {
        const report = reportOn([examinationOf(said)], outcome === undefined ? {} : { fix: outcome });
        expect(longLines(renderText(report, { ...plain, verbose }))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  // "Nothing was changed: " is not counted.
  test('when a plan was not applied', () => {
    const reason =
      'the plan makes 12345 changes, more than the cap of 10000; if that is right, use --max-changes 12345';
    expect(
      longLines(renderText(reportOn([found(ghost)], { fix: { kind: 'not-applied', reason } }), plain)),
    ).toEqual([]);
  });
});

test('a report is narrower on a narrow terminal', async () => {
  const text = renderText(await recordedReport('kube-proxy-legacy-then-nft'), { ...plain, width: 60 });
  expect(text.split('\n').filter((line) => line.length > 60 && !line.startsWith('23 problems'))).toEqual([]);
});

test('nothing of a message is lost where it is broken', async () => {
  const report = await recordedReport('kube-proxy-1.22-legacy-then-1.34-nft');
  const flowing = renderText(report, { ...plain, verbose: true }).replace(/\s+/g, ' ');
  for (const { message } of report.checks.flatMap(({ findings }) => findings))
    expect(flowing).toContain(message);
});

test('without colour there are no escape codes, with colour there are and nothing else differs', async () => {
  const report = await recordedReport('kube-proxy-legacy-then-nft');
  const text = renderText(report, plain);
  const coloured = renderText(report, { ...plain, colour: new Chalk({ level: 1 }) });
  expect(text).not.toContain(escapeCode);
  expect(coloured).toContain(escapeCode);
  expect(coloured.replace(new RegExp(`${escapeCode}\\[\\d+m`, 'g'), '')).toBe(text);
});

test('ten findings are shown, and all when it is asked to be verbose', () => {
  const many = Array.from({ length: 13 }, (_none, i) => ({ ...ghost, message: `finding number ${i + 1}.` }));
  const short = renderText(reportOn([found(...many)]), plain);
  expect(short).toContain('finding number 10.');
  expect(short).not.toContain('finding number 11.');
  expect(short).toContain('… and 3 more (-v shows all, --format json has them)');
  const verbose = renderText(reportOn([found(...many)]), { ...plain, verbose: true });
  expect(verbose).toContain('finding number 13.');
  expect(verbose).toContain('legacy nat: KUBE-SVC-CDGGSHYLG3RE2FKL claims it');
});

test('an obstacle that stands before many findings is told once', () => {
  const text = renderText(reportOn([found(refused, refused, refused)]), plain);
  expect(text.match(/not repairable/g)).toHaveLength(1);
  expect(text).not.toContain('doctor fix');
});

test('why something is left alone for now is told once', () => {
  const held = { ...ghost, remedy: { kind: 'held', reason: 'seen for the first time' } } as const;
  const text = renderText(reportOn([found(held, held)], { fix: { kind: 'nothing-to-do' } }), plain);
  expect(text.match(/left alone for now: seen for the first time/g)).toHaveLength(1);
  expect(text).toMatch(/2 problems\.$/m);
});

test('how an earlier run was brought to an end comes first', () => {
  const settled = {
    run: '20261120T180000000Z-1',
    verb: 'fix',
    why: [],
    notes: ['taken back: x'],
    isOpen: false,
  };
  const text = (outcome: 'done' | 'reverted' | 'incomplete') =>
    renderText(reportOn([examinationOf({})], { settled: { ...settled, outcome } }), { ...plain, width: 120 });
  expect(text('reverted')).toMatch(
    /^An earlier fix, run 20261120T180000000Z-1, was killed at its work and has been taken back:\n {2}taken back: x\n/,
  );
  expect(text('done')).toContain('it stands');
  expect(text('incomplete')).toContain('could not be taken back');
});

describe('the last line says', () => {
  const done: ReportInput['fix'] = { kind: 'done', notes: ['others changed 1 line meanwhile'] };
  const lastLine = (...input: Parameters<typeof reportOn>) =>
    renderText(reportOn(...input), plain)
      .trim()
      .split('\n')
      .at(-1);

  test.each([
    ['that all is well', [examinationOf({})], {}, 'Healthy.'],
    [
      'that it could not be determined',
      [examinationOf({ outcome: 'unknown', reasons: ['x'] })],
      {},
      'Could not be determined; nothing was changed.',
    ],
    [
      'how many problems there are, and what to do',
      [found(ghost)],
      {},
      '1 problem.  Show the plan: doctor fix --dry-run  Repair: doctor fix',
    ],
    ['that all is well again', [found(ghost)], { fix: done }, 'Healthy again.'],
    [
      'how many problems are left after nothing was changed',
      [found(ghost)],
      { fix: { kind: 'not-applied' as const, reason: 'dry run' } },
      '1 problem.',
    ],
  ])('%s', (_what, examinations, input, line) => {
    expect(lastLine(examinations, input)).toBe(line);
  });

  // What was repaired is counted too.
  test('how many problems are left after a fix', () => {
    expect(lastLine([found(ghost, ghost, refused)], { fix: done })).toBe('1 problem.');
    const unsure = examinationOf({ outcome: 'findings', findings: [ghost], reasons: ['no crictl'] });
    expect(lastLine([unsure], { fix: done })).not.toMatch(/problem/);
  });
});

test('a fix tells what it did, or that it took it back, or that it could not', () => {
  const text = (fix: ReportInput['fix']) => renderText(reportOn([found(ghost)], fix && { fix }), plain);
  expect(text({ kind: 'done', notes: ['conntrack ipv4: ended'] })).toContain(
    'Fixed and verified\n  conntrack ipv4: ended',
  );
  const failed = { kind: 'failed' as const, reason: 'exit code 4: busy' };
  expect(
    text({ ...failed, reverted: { complete: true, notes: ['what was removed is back'], retryable: false } }),
  ).toContain(
    'The fix failed: exit code 4: busy\n  rolled back: the node is as before\n  what was removed is back',
  );
  expect(text({ ...failed, reverted: { complete: false, notes: [], retryable: true } })).toContain(
    'ROLL-BACK INCOMPLETE',
  );
});

describe('a plan', () => {
  const plan = [
    {
      title: 'iptables-legacy nat: remove 1 chain',
      command: 'iptables-legacy-restore -w 5',
      input: '*nat\n-X A\nCOMMIT\n',
      changes: 1,
      reversible: true,
    },
    { title: 'conntrack ipv4: end connections', command: 'conntrack -D', changes: 0, reversible: false },
  ];

  test('can be read as what a person would type', () => {
    expect(renderPlan(plan, plain)).toBe(
      `Step 1: iptables-legacy nat: remove 1 chain
  iptables-legacy-restore -w 5 <<'EOF'
*nat
-X A
COMMIT
EOF

Step 2: conntrack ipv4: end connections
  (cannot be taken back, and need not be)
  conntrack -D`,
    );
  });

  test('that waits says for what and how long, and nothing of taking that back', () => {
    const until = { kind: 'rolled-out', object: '/apis/apps/v1/namespaces/a/deployments/b' } as const;
    const wait = { kind: 'wait', title: 'b has rolled out', until, deadlineMs: 120_000 } as const;
    const report = reportOn([], { steps: [wait], fix: { kind: 'done', notes: [] } });
    expect(renderPlan(report.plan, plain)).toBe(
      `Step 1: wait until b has rolled out
  GET /apis/apps/v1/namespaces/a/deployments/b, every 1 s for 120 s at most`,
    );
    expect(renderText(report, plain)).toContain('Fixed and verified\n  ✓ b has rolled out\n');
    expect(renderText(report, plain)).not.toContain('To take it back');
  });

  test('is shortened where it is asked to be, and says so', () => {
    expect(renderPlan(plan, { ...plain, maxLines: 1 })).toContain(
      "<<'EOF'\n*nat\n… 2 more lines (doctor fix --dry-run shows them)\nEOF",
    );
    expect(renderPlan(plan, { ...plain, maxLines: 3 })).toContain('*nat\n-X A\nCOMMIT\nEOF');
  });
});

test('what somebody has written into a name cannot move the cursor', async () => {
  const report = await recordedReport('kube-proxy-legacy-then-nft');
  const evil = 'name\u001b[2K\u001b[1A\rHealthy.';
  const text = renderText(
    {
      ...report,
      notices: [evil],
      checks: report.checks.map((check) => ({
        ...check,
        reasons: [evil],
        limits: [evil],
        notes: [evil],
        findings: check.findings.map((finding) => ({
          ...finding,
          message: evil,
          evidence: [{ source: evil, observed: evil }],
          remedy: { kind: 'none', reason: evil },
        })),
      })),
    },
    { ...plain, verbose: true },
  );
  expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  expect(text).toContain('name\ufffd[2K');
});
