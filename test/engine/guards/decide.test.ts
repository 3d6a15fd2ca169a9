import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Examination } from '../../../src/engine/examine.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import { afterRun, afterUndo } from '../../../src/engine/guards/after-run.ts';
import { type Decision, decide } from '../../../src/engine/guards/decide.ts';
import { emptyState } from '../../../src/engine/guards/parse-state.ts';
import type { State } from '../../../src/engine/guards/state.ts';
import type { RunOutcome } from '../../../src/engine/journal.ts';
import { configWith, examinationOf, keyOf, later, problem, start, writeOf } from './made-up-check.ts';

const config = configWith();
const a = problem('a');
const b = problem('b');

/** One run of the timer. */
function run(
  state: State,
  examinations: readonly Examination[],
  now: Date,
  more: Partial<{ config: Config; maxChanges: number }> = {},
): Decision {
  return decide({ examinations, state, config, now, attended: false, ...more });
}

function byPerson(
  state: State,
  examinations: readonly Examination[],
  more: Partial<{ config: Config; maxChanges: number }> = {},
): Decision {
  return decide({ examinations, state, config, now: start, attended: true, ...more });
}

/** After two runs that saw `finding`, 5 minutes apart; the next one is at 10 minutes. */
function seenTwice(finding: Finding, settings = config): State {
  const once = run(emptyState, [examinationOf([finding])], start, { config: settings });
  return run(once.state, [examinationOf([finding])], later(5), { config: settings }).state;
}

function heldReasons({ examinations }: Decision): string[] {
  return examinations.flatMap(({ diagnosis }) =>
    diagnosis.findings.flatMap(({ remedy }) => (remedy.kind === 'held' ? [remedy.reason] : [])),
  );
}

test('a person may repair at once what was never seen before, and nothing is remembered of it', () => {
  const decision = byPerson(emptyState, [examinationOf([a, b])]);
  expect(decision.steps).toEqual([writeOf('a'), writeOf('b')]);
  expect(decision.why.map(({ key, message }) => [key, message])).toEqual([
    [keyOf('a'), 'a is wrong'],
    [keyOf('b'), 'b is wrong'],
  ]);
  expect(decision.state).toBe(emptyState);
});

test('the timer repairs what two runs in a row have seen, and says so before', () => {
  const first = run(emptyState, [examinationOf([a])], start);
  expect(first.steps).toEqual([]);
  expect(heldReasons(first)).toEqual([
    'seen for the first time: it is repaired when the next run sees it, too (guards.strikes is 2)',
  ]);
  const second = run(first.state, [examinationOf([a, b])], later(5));
  expect(second.steps).toEqual([writeOf('a')]);
  expect(second.why.map(({ key }) => key)).toEqual([keyOf('a')]);
});

test('with more strikes it says how many runs are still missing', () => {
  const strict = configWith({ strikes: 4 });
  const first = run(emptyState, [examinationOf([a])], start, { config: strict });
  expect(heldReasons(first)[0]).toContain('it is repaired when 3 more runs see it, too');
  const second = run(first.state, [examinationOf([a])], later(5), { config: strict });
  expect(heldReasons(second)[0]).toContain('seen by 2 runs in a row: it is repaired when 2 more runs see');
});

test.each([
  ['was not there', examinationOf([])],
  ['could not be told', examinationOf([], { outcome: 'unknown', reasons: ['no API'] })],
])('a finding that %s in between starts anew', (_, between) => {
  const first = run(emptyState, [examinationOf([a])], start);
  const second = run(first.state, [between], later(5));
  expect(run(second.state, [examinationOf([a])], later(10)).steps).toEqual([]);
});

test('a run without the check says nothing about its findings', () => {
  const first = run(emptyState, [examinationOf([a])], start);
  const second = run(first.state, [], later(5));
  expect(second.state).toBe(first.state);
  expect(run(second.state, [examinationOf([a])], later(10)).steps).toEqual([writeOf('a')]);
});

test('a look of two days ago is no strike', () => {
  const first = run(emptyState, [examinationOf([a])], start);
  expect(run(first.state, [examinationOf([a])], later(2 * 24 * 60)).steps).toEqual([]);
});

test('nor is one that the clock says is still to come', () => {
  const first = run(emptyState, [examinationOf([a])], later(60));
  const second = run(first.state, [examinationOf([a])], start);
  expect(second.steps).toEqual([]);
  expect(run(second.state, [examinationOf([a])], later(5)).steps).toEqual([writeOf('a')]);
});

test('a healthy run has nothing to remember', () => {
  expect(run(emptyState, [examinationOf([])], start).state).toBe(emptyState);
});

test('what is gone is forgotten, unless it was tried less than a day ago', () => {
  const seen = seenTwice(a);
  const gone = run(seen, [examinationOf([])], later(10));
  expect(gone.state.findings).toEqual({});
  const tried = afterRun(seen, { outcome: 'done', findings: [{ key: keyOf('a') }], config, now: later(5) });
  const next = run(tried, [examinationOf([])], later(10));
  expect(Object.keys(next.state.findings)).toEqual([keyOf('a')]);
  expect(run(next.state, [examinationOf([])], later(15)).state).toBe(next.state);
  expect(run(next.state, [examinationOf([])], later(25 * 60)).state.findings).toEqual({});
});

const counting = (packets: number, answered = true) => problem('a', { activity: { packets, answered } });

test('a ghost whose counter grows while connections through it are answered may be live', () => {
  const first = run(emptyState, [examinationOf([counting(10)])], start);
  const second = run(first.state, [examinationOf([counting(17)])], later(5));
  expect(second.steps).toEqual([]);
  expect(heldReasons(second)).toEqual([
    'its counter grew by 7 since the last run and connections through it are answered: it may be live; doctor fix repairs it all the same',
  ]);
  expect(byPerson(second.state, [examinationOf([counting(18)])]).steps).toHaveLength(1);
});

test('so may one whose counter began again: somebody wrote the rule anew', () => {
  const first = run(emptyState, [examinationOf([counting(10)])], start);
  expect(run(first.state, [examinationOf([counting(3)])], later(5)).steps).toEqual([]);
});

test.each([
  ['grows and nothing is answered', counting(17, false)],
  ['does not grow though an old connection is answered', counting(10)],
])('one whose counter %s is dead', (_, finding) => {
  const first = run(emptyState, [examinationOf([counting(10)])], start);
  expect(run(first.state, [examinationOf([finding])], later(5)).steps).toHaveLength(1);
});

const tried = (state: State, outcome: 'done' | 'reverted', now: Date, digest?: string) =>
  afterRun(state, { outcome, findings: [{ key: keyOf('a'), digest }], config, now });

test.each(['done', 'reverted'] as const)(
  'a repair that ended %s is not tried again within the cooldown',
  (outcome) => {
    let state = tried(seenTwice(a), outcome, later(5));
    for (const minutes of [10, 15, 19]) {
      const decision = run(state, [examinationOf([a])], later(minutes));
      expect(decision.steps).toEqual([]);
      expect(heldReasons(decision)[0]).toContain('until 2026-11-21 12:20 UTC (guards.cooldownMinutes is 15)');
      expect(byPerson(decision.state, [examinationOf([a])]).steps).toHaveLength(1);
      state = decision.state;
    }
    expect(run(state, [examinationOf([a])], later(20)).steps).toHaveLength(1);
  },
);

test('what a reboot undoes is repaired again without a cooldown, unless its repair failed', () => {
  const examination = examinationOf([a]);
  const recurring = { ...examination, check: { ...examination.check, recurs: true as const } };
  const held = tried(seenTwice(a), 'done', later(5));
  const again = run(held, [recurring], later(6));
  expect(heldReasons(again)[0]).toContain('seen for the first time');
  expect(run(again.state, [recurring], later(7)).steps).toHaveLength(1);
  const failed = tried(seenTwice(a), 'reverted', later(5));
  const sight = run(failed, [recurring], later(6));
  expect(heldReasons(run(sight.state, [recurring], later(7)))[0]).toContain('cooldownMinutes');
});

test('repairs that failed together are tried one by one, until each was done or is given up', () => {
  const other = examinationOf([b]);
  const both = [examinationOf([a]), { ...other, check: { ...other.check, id: 'dns-forwarders' as const } }];
  const patient = configWith({ cooldownMinutes: 0, strikes: 1, breaker: { failures: 99, minutes: 1 } });
  let state = emptyState;
  let minute = 0;
  const next = (outcome: RunOutcome) => {
    const decision = run(state, both, later(minute), { config: patient });
    state = afterRun(decision.state, {
      outcome,
      findings: decision.why,
      config: patient,
      now: later(minute),
    });
    minute += 1;
    return decision.plans.map(({ check }) => check);
  };
  expect(next('reverted')).toEqual(['iptables-ghosts', 'dns-forwarders']);
  expect(next('reverted')).toEqual(['iptables-ghosts']);
  expect(next('reverted')).toEqual(['iptables-ghosts']);
  expect(next('done')).toEqual(['dns-forwarders']);
});

test('what somebody takes back again and again is repaired again only after a cooldown', () => {
  const examination = examinationOf([a]);
  const recurring = { ...examination, check: { ...examination.check, recurs: true as const } };
  let state = seenTwice(a);
  let minute = 5;
  const seeTwice = () => {
    const first = run(state, [recurring], later(minute + 1));
    const second = run(first.state, [recurring], later(minute + 2));
    state = second.state;
    minute += 2;
    return second;
  };
  // The first time, and as often again as a repair may fail.
  for (let i = 0; i < 4; i++) {
    if (i > 0) expect(seeTwice().steps).toHaveLength(1);
    state = tried(state, 'done', later(minute));
  }
  const tug = seeTwice();
  expect(tug.steps).toEqual([]);
  expect(heldReasons(tug)[0]).toContain('its repair was done 4 times and does not last');
  minute += 15;
  expect(seeTwice().steps).toHaveLength(1);
  state = tried(state, 'done', later(minute));
  minute += 120;
  expect(seeTwice().steps).toHaveLength(1);
});

test('a clock that was set back neither ends the cooldown nor makes it last for ever', () => {
  const state = tried(seenTwice(a), 'reverted', later(5));
  const yearBefore = (minutes: number) => later(minutes - 365 * 24 * 60);
  let next = run(state, [examinationOf([a])], yearBefore(0));
  expect(next.steps).toEqual([]);
  next = run(next.state, [examinationOf([a])], yearBefore(10));
  expect(next.steps).toEqual([]);
  expect(heldReasons(next)[0]).toContain('guards.cooldownMinutes');
  expect(run(next.state, [examinationOf([a])], yearBefore(20)).steps).toHaveLength(1);
});

/** Failed as often as given, the last time at minute 5. */
function failedTimes(times: number, digest: string): State {
  let state = seenTwice(a, configWith({ breaker: { failures: 99, minutes: 1 } }));
  for (let i = 0; i < times; i++) {
    const patient = configWith({ breaker: { failures: 99, minutes: 1 } });
    state = afterRun(state, {
      outcome: 'reverted',
      findings: [{ key: keyOf('a'), digest }],
      config: patient,
      now: later(5),
    });
  }
  return state;
}

function digestOf(finding: Finding): string {
  return byPerson(emptyState, [examinationOf([finding])]).why[0]?.digest ?? '';
}

test('what failed three times is only reported until something about it changes', () => {
  const state = failedTimes(3, digestOf(a));
  const decision = run(state, [examinationOf([a])], later(60));
  expect(heldReasons(decision)).toEqual([
    'its repair failed 3 times in a row (guards.attempts is 3): it is only reported until something about it changes; doctor fix tries again',
  ]);
  expect(byPerson(state, [examinationOf([a])]).steps).toHaveLength(1);
  const changed = problem('a', { evidence: [{ source: 'a', observed: 'wrong in another way' }] });
  const fresh = run(decision.state, [examinationOf([changed])], later(65));
  expect(fresh.steps).toHaveLength(1);
  expect(fresh.state.findings[keyOf('a')]).not.toHaveProperty('plan');
  expect(run(failedTimes(2, digestOf(a)), [examinationOf([a])], later(60)).steps).toHaveLength(1);
});

test('nothing that changes around a ghost makes it another one, and where it sends traffic does', () => {
  const traffic = { protocol: 'tcp', address: '10.43.0.80', port: 80, service: 'default/web' };
  const target = { address: '10.42.0.5', port: 8080, state: 'dead' } as const;
  const ghost = problem('a', {
    activity: { packets: 1, answered: false },
    traffic: { ...traffic, sentTo: [target], live: [] },
    evidence: [
      { source: 'legacy nat', observed: 'KUBE-SVC-X' },
      { source: 'effect', observed: 'masks' },
    ],
  });
  const around = problem('a', {
    severity: 'warning',
    effect: 'dormant',
    message: 'another live rule',
    activity: { packets: 99, answered: false },
    traffic: {
      ...traffic,
      sentTo: [{ ...target, state: 'unknown' }],
      live: [{ address: '10.42.0.9', port: 8080, backend: 'nft' }],
    },
    evidence: [
      { source: 'legacy nat', observed: 'KUBE-SVC-X' },
      { source: 'effect', observed: 'dormant' },
    ],
  });
  const other = {
    ...ghost,
    traffic: { ...traffic, sentTo: [{ ...target, address: '10.42.0.6' }], live: [] },
  };
  expect(digestOf(around)).toBe(digestOf(ghost));
  expect(digestOf(other)).not.toBe(digestOf(ghost));
});

test.each([
  ['with', true],
  ['without', false],
])('what a person took back is not repeated by the timer (%s a digest)', (_, hasDigest) => {
  const findings = [{ key: keyOf('a'), digest: hasDigest ? digestOf(a) : undefined }];
  let state = afterUndo(emptyState, { findings, runId: '20261121T120000000Z-7', now: start });
  for (const minutes of [60, 120, 180]) {
    const decision = run(state, [examinationOf([a])], later(minutes));
    expect(heldReasons(decision)).toEqual([
      'a person took this repair back by run 20261121T120000000Z-7; doctor fix repeats it',
    ]);
    state = decision.state;
  }
  expect(byPerson(state, [examinationOf([a])]).steps).toHaveLength(1);
  const changed = problem('a', { evidence: [] });
  expect(run(state, [examinationOf([changed])], later(185)).steps).toHaveLength(1);
});

test('what changed since a person took it back has to be seen twice again', () => {
  const findings = [{ key: keyOf('a'), digest: digestOf(a) }];
  const undone = afterUndo(seenTwice(a), { findings, runId: 'r', now: later(5) });
  const changed = problem('a', { evidence: [] });
  const first = run(undone, [examinationOf([changed])], later(60));
  expect(first.steps).toEqual([]);
  expect(run(first.state, [examinationOf([changed])], later(65)).steps).toHaveLength(1);
});

test('a person who repeats the repair gives it back to the timer', () => {
  const findings = [{ key: keyOf('a'), digest: digestOf(a) }];
  const undone = afterUndo(seenTwice(a), { findings, runId: 'r', now: later(5) });
  const again = afterRun(undone, { outcome: 'done', findings, config, now: later(10) });
  const seen = run(again, [examinationOf([a])], later(30));
  expect(run(seen.state, [examinationOf([a])], later(35)).steps).toHaveLength(1);
});

test('after three failed runs in a row nothing is repaired unattended for an hour', () => {
  const other = [{ key: keyOf('z') }];
  let state = seenTwice(a);
  for (const minutes of [6, 7])
    state = afterRun(state, { outcome: 'incomplete', findings: other, config, now: later(minutes) });
  expect(run(state, [examinationOf([a])], later(8)).steps).toHaveLength(1);
  state = afterRun(state, { outcome: 'reverted', findings: other, config, now: later(8) });
  const open = run(state, [examinationOf([a])], later(67));
  expect(heldReasons(open)).toEqual([
    '3 runs in a row failed (guards.breaker.failures is 3): nothing is repaired unattended before 2026-11-21 13:08 UTC; see doctor history, doctor resume ends it',
  ]);
  expect(byPerson(state, [examinationOf([a])]).steps).toHaveLength(1);
  const after = run(open.state, [examinationOf([a])], later(68));
  expect(after.steps).toHaveLength(1);
  const failedAgain = afterRun(after.state, { outcome: 'reverted', findings: other, config, now: later(68) });
  expect(run(failedAgain, [examinationOf([a])], later(73)).steps).toEqual([]);
  const good = afterRun(failedAgain, { outcome: 'done', findings: other, config, now: later(74) });
  expect(good.breaker).toEqual({ failures: 0 });
});

test('a run that changed nothing because the node had moved on is neither good nor bad', () => {
  const state = tried(seenTwice(a), 'reverted', later(5));
  const findings = [{ key: keyOf('a') }];
  expect(afterRun(state, { outcome: 'moved-on', findings, config, now: later(6) })).toBe(state);
});

test('a run that was stopped is no failure, but the timer rests before it tries again', () => {
  const findings = [{ key: keyOf('a') }];
  const stopped = afterRun(seenTwice(a), { outcome: 'stopped', findings, config, now: later(6) });
  expect(stopped.breaker).toEqual({ failures: 0 });
  expect(stopped.findings[keyOf('a')]).toMatchObject({ failedAttempts: 0 });
  expect(heldReasons(run(stopped, [examinationOf([a])], later(11)))[0]).toContain('cooldownMinutes');
  expect(run(stopped, [examinationOf([a])], later(22)).steps).toEqual([writeOf('a')]);
});

test('what a person took back, and a repair that was given up, are remembered however long nobody sees them', () => {
  const findings = [{ key: keyOf('a') }];
  const undone = afterUndo(seenTwice(a), { findings, runId: 'r', now: later(5) });
  const blind = run(undone, [examinationOf([])], later(60 * 24 * 3));
  const seen = run(blind.state, [examinationOf([a])], later(60 * 24 * 3 + 5));
  expect(heldReasons(run(seen.state, [examinationOf([a])], later(60 * 24 * 3 + 10)))[0]).toContain(
    'took this',
  );
});

test('a breaker is open no longer than an hour from now, wherever the clock has been', () => {
  const state: State = { ...seenTwice(a), breaker: { failures: 3, openUntil: '2099-01-01T00:00:00.000Z' } };
  const decision = run(state, [examinationOf([a])], later(10));
  expect(decision.steps).toEqual([]);
  expect(decision.state.breaker.openUntil).toBe(later(70).toISOString());
});

test('while repairs are paused nothing is repaired, by nobody', () => {
  const paused = {
    reason: 'moving',
    by: 'alice (sudo)',
    at: start.toISOString(),
    until: later(30).toISOString(),
  };
  const state = { ...seenTwice(a), paused };
  expect(run(state, [examinationOf([a])], later(29)).steps).toEqual([]);
  expect(heldReasons(byPerson(state, [examinationOf([a])]))).toEqual([
    'paused by alice (sudo) until 2026-11-21 12:30 UTC, because: moving; doctor resume ends it',
  ]);
  expect(run(state, [examinationOf([a])], later(30)).steps).toHaveLength(1);
});

test('a check in mode report repairs nothing for anybody, nor does it count sightings', () => {
  const report = configWith({ settings: { mode: 'report' } });
  const reason = 'checks.iptables-ghosts.mode is report: it is never repaired; set it to fix to change that';
  expect(heldReasons(byPerson(emptyState, [examinationOf([a])], { config: report }))).toEqual([reason]);
  const decision = run(emptyState, [examinationOf([a])], start, { config: report });
  expect(heldReasons(decision)).toEqual([reason]);
  expect(decision.state).toBe(emptyState);
});

test.each([
  [configWith({ maxChanges: 1 }), undefined, 'more than the cap of 1 (guards.maxChanges)'],
  [
    configWith({ settings: { maxChanges: 1 } }),
    undefined,
    'more than the cap of 1 (checks.iptables-ghosts.maxChanges)',
  ],
  [configWith(), 1, 'more than the cap of 1'],
])('a plan above the cap is not made', (settings, maxChanges, words) => {
  const more = { config: settings, ...(maxChanges !== undefined && { maxChanges }) };
  const decision = byPerson(emptyState, [examinationOf([a, b])], more);
  expect(decision.steps).toEqual([]);
  const reason = `the plan makes 2 changes, ${words}; if that is right, use --max-changes 2`;
  expect(heldReasons(decision)).toEqual([reason, reason]);
  expect(byPerson(emptyState, [examinationOf([a, b])], { ...more, maxChanges: 2 }).steps).toHaveLength(2);
});

test('the cap of a check goes before that of all, and counts only what would be done', () => {
  const generous = configWith({ maxChanges: 1, settings: { maxChanges: 2 } });
  expect(byPerson(emptyState, [examinationOf([a, b])], { config: generous }).steps).toHaveLength(2);
  const first = run(emptyState, [examinationOf([a])], start);
  const tight = configWith({ maxChanges: 1 });
  expect(run(first.state, [examinationOf([a, b])], later(5), { config: tight }).steps).toEqual([
    writeOf('a'),
  ]);
});

test('what can only be repaired together waits for the last of it', () => {
  const first = run(emptyState, [examinationOf([a], { together: true })], start);
  const second = run(first.state, [examinationOf([a, b], { together: true })], later(5));
  expect(second.steps).toEqual([]);
  expect(second.why).toEqual([]);
  expect(heldReasons(second)[0]).toBe(
    'it can only be repaired together with others that are not repaired now',
  );
  expect(run(second.state, [examinationOf([a, b], { together: true })], later(10)).steps).toHaveLength(2);
});

test('whoever makes the plan of a decided examination again does not get what is held', () => {
  const first = run(emptyState, [examinationOf([a])], start);
  const [examination] = run(first.state, [examinationOf([a, b])], later(5)).examinations;
  expect(examination?.diagnosis.plan(() => true).steps).toEqual([writeOf('a')]);
});

test('findings without a remedy stay as they are', () => {
  const none = problem('c', { remedy: { kind: 'none', reason: 'foreign' } });
  const decision = run(emptyState, [examinationOf([none])], start);
  expect(decision.examinations[0]?.diagnosis.findings).toEqual([none]);
  expect(decision.state).toBe(emptyState);
});
