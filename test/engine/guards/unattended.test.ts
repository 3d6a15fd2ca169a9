import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterRun, afterUndo } from '../../../src/engine/guards/after-run.ts';
import { decide } from '../../../src/engine/guards/decide.ts';
import { emptyState } from '../../../src/engine/guards/parse-state.ts';
import type { State } from '../../../src/engine/guards/state.ts';
import { readState, setAside, writeState } from '../../../src/engine/guards/state-file.ts';
import { memoryHost } from '../memory-host.ts';
import { configWith, examinationOf, keyOf, later, minute, problem, start } from './made-up-check.ts';

const config = configWith();
const names = ['a', 'b', 'c'] as const;

/** What may happen on a node, in any order. `step`: minutes of the clock, which may be set back. */
const event = fc.record({
  step: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(5), fc.integer({ min: -2000, max: 2000 })),
  what: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('timer' as const),
        present: fc.subarray([...names]),
        outcome: fc.constantFrom('done', 'reverted', 'incomplete', 'moved-on'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('undo' as const), name: fc.constantFrom(...names) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('pause' as const), minutes: fc.integer({ min: 1, max: 60 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('damage' as const),
        text: fc.constantFrom('', '{', '[]', '{"schemaVersion":9}', '\0\0'),
      }),
    },
  ),
});

const file = `${config.paths.state}/state.json`;

/** The model: what an onlooker with a wall clock and a notebook would forbid. */
interface Notebook {
  seenLast: Set<string>;
  attemptedAt: Map<string, number>;
  undone: Set<string>;
  failuresInARow: number;
  brokeAt: number | undefined;
  pausedUntil: number | undefined;
  /** The clock never went back since. */
  isSteady: boolean;
}

function blankNotebook(): Notebook {
  return {
    seenLast: new Set(),
    attemptedAt: new Map(),
    undone: new Set(),
    failuresInARow: 0,
    brokeAt: undefined,
    pausedUntil: undefined,
    isSteady: true,
  };
}

test('whatever happens, a timer repairs only what the run before saw, too, and nothing that is to be left alone', async () => {
  let repairs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 2, maxLength: 40 }), async (events) => {
      const host = memoryHost();
      host.clock = start;
      let book = blankNotebook();
      for (const { step, what } of events) {
        host.clock = later(step, host.clock);
        const now = host.clock.getTime();
        if (step < 0) book = { ...book, isSteady: false };
        const reading = await readState(host, config);
        if (reading.problem !== undefined) await setAside(host, config, reading);
        const write = (state: State) => writeState(host, config, state);
        switch (what.kind) {
          case 'damage':
            host.files.set(file, Buffer.from(what.text));
            book = { ...blankNotebook(), isSteady: book.isSteady };
            break;
          case 'pause': {
            const until = later(what.minutes, host.clock);
            await write({
              ...reading.state,
              paused: { reason: 'r', by: 'b', at: host.clock.toISOString(), until: until.toISOString() },
            });
            book.pausedUntil = until.getTime();
            break;
          }
          case 'undo':
            await write(
              afterUndo(reading.state, {
                findings: [{ key: keyOf(what.name) }],
                runId: 'r',
                now: host.clock,
              }),
            );
            book.undone.add(what.name);
            book.seenLast.delete(what.name);
            break;
          default: {
            const present = what.kind === 'timer' ? what.present : [];
            const examination = examinationOf(
              present.map((name) => problem(name)),
              what.kind === 'unknown' ? { outcome: 'unknown' } : {},
            );
            const decision = decide({
              examinations: [examination],
              state: reading.state,
              config,
              now: host.clock,
              attended: false,
            });
            if (decision.state !== reading.state) await write(decision.state);
            const repaired = decision.examinations
              .flatMap(({ diagnosis }) =>
                diagnosis.findings.filter(({ remedy }) => remedy.kind === 'planned'),
              )
              .map(({ subject }) => subject);
            repairs += repaired.length;
            expect(decision.steps).toHaveLength(repaired.length);
            if (repaired.length > 0) {
              expect(book.pausedUntil ?? 0).toBeLessThanOrEqual(now);
              if (book.brokeAt !== undefined && book.isSteady)
                expect(now - book.brokeAt).toBeGreaterThanOrEqual(config.guards.breaker.minutes * minute);
            }
            for (const name of repaired) {
              expect(book.seenLast).toContain(name);
              expect(book.undone).not.toContain(name);
              const attempt = book.attemptedAt.get(name);
              if (attempt !== undefined && book.isSteady)
                expect(now - attempt).toBeGreaterThanOrEqual(config.guards.cooldownMinutes * minute);
            }
            book.seenLast = new Set(present);
            // What is not there for a day may be forgotten.
            for (const name of names) if (!present.includes(name)) book.undone.delete(name);
            if (what.kind !== 'timer' || repaired.length === 0 || what.outcome === 'moved-on') break;
            await write(
              afterRun(decision.state, {
                outcome: what.outcome,
                findings: decision.why,
                config,
                now: host.clock,
              }),
            );
            for (const name of repaired) book.attemptedAt.set(name, now);
            if (what.outcome === 'done') for (const name of repaired) book.seenLast.delete(name);
            book.failuresInARow = what.outcome === 'done' ? 0 : book.failuresInARow + 1;
            book.brokeAt = book.failuresInARow >= config.guards.breaker.failures ? now : undefined;
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  expect(repairs).toBeGreaterThan(300);
});

test('whatever is in the state file, the first run that has to set it aside repairs nothing', async () => {
  const good = JSON.stringify({
    ...emptyState,
    findings: { [keyOf('a')]: { seen: 5, lastSeenAt: start.toISOString(), failedAttempts: 0 } },
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.nat(good.length - 1).map((length) => good.slice(0, length)),
        fc
          .tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
          .map(([at, other]) => good.slice(0, at) + other + good.slice(at + 1)),
      ),
      async (text) => {
        const host = memoryHost({ [file]: text });
        const { state, problem: trouble } = await readState(host, config);
        fc.pre(trouble !== undefined);
        const decision = decide({
          examinations: [examinationOf([problem('a')])],
          state,
          config,
          now: later(5),
          attended: false,
        });
        expect(decision.steps).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});

test('without anything in the way a lasting problem is repaired in the end, wherever the clock jumps', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 10 }), (jumps) => {
      let now = start;
      let state = emptyState;
      const examinations = [examinationOf([problem('a')])];
      for (const jump of jumps) {
        now = later(jump, now);
        const decision = decide({ examinations, state, config, now, attended: false });
        const outcome = decision.steps.length > 0 ? 'reverted' : 'moved-on';
        state = afterRun(decision.state, {
          outcome,
          findings: decision.why.map(({ key }) => ({ key })),
          config: configWith({ attempts: 99 }),
          now,
        });
      }
      const patient = configWith({ attempts: 99 });
      const acted = Array.from({ length: 20 }, () => {
        now = later(5, now);
        const decision = decide({ examinations, state, config: patient, now, attended: false });
        state = decision.state;
        return decision.steps.length > 0;
      });
      expect(acted).toContain(true);
    }),
    { numRuns: 300 },
  );
});
