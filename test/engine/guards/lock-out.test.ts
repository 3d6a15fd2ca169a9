import { describe, expect, it } from 'vitest';
import { createFactContext } from '../../../src/engine/fact.ts';
import { decide } from '../../../src/engine/guards/decide.ts';
import { describeLockOut, judgeLockOut, type LockOutGuard } from '../../../src/engine/guards/lock-out.ts';
import { emptyState } from '../../../src/engine/guards/parse-state.ts';
import type { IptablesBatchStep, Step } from '../../../src/engine/step.ts';
import { memoryHost } from '../memory-host.ts';
import { configWith, examinationOf, problem, start, writeOf } from './made-up-check.ts';

const context = createFactContext(memoryHost(), configWith());
const batch: IptablesBatchStep = {
  kind: 'iptables-batch',
  backend: 'legacy',
  family: 'ipv4',
  ownersWrite: false,
  change: { kind: 'remove', removal: { table: 'nat', chains: ['KUBE-SERVICES'], rules: [] }, digest: '' },
};

describe('plans', () => {
  it('that do not touch the firewall are not asked about', async () => {
    const asked: (readonly Step[])[] = [];
    const guard: LockOutGuard = async (_context, plans) => {
      asked.push(...plans);
      return plans.map((_plan, index) => ({ reasons: [`refused ${index}`], notes: [] }));
    };
    const file = writeOf('a');
    expect(await judgeLockOut(guard, context, [[file], [file, batch], [], [batch]])).toEqual([
      { reasons: [], notes: [] },
      { reasons: ['refused 0'], notes: [] },
      { reasons: [], notes: [] },
      { reasons: ['refused 1'], notes: [] },
    ]);
    expect(asked).toEqual([[file, batch], [batch]]);
  });

  it('of no such kind ask nobody', async () => {
    const guard: LockOutGuard = () => Promise.reject(new Error('it was asked'));
    expect(await judgeLockOut(guard, context, [[writeOf('a')]])).toEqual([{ reasons: [], notes: [] }]);
  });

  it('are refused with the first reason', () => {
    expect(describeLockOut({ reasons: [], notes: ['n'] })).toBeUndefined();
    expect(describeLockOut({ reasons: ['a'], notes: [] })).toBe('it could lock people out of this node: a');
    expect(describeLockOut({ reasons: ['a', 'b', 'c'], notes: [] })).toMatch(/: a; and 2 more of the kind$/);
  });
});

describe('a check whose plan is refused', () => {
  const examinations = [examinationOf([problem('a'), problem('b')])];
  const input = { examinations, state: emptyState, config: configWith(), now: start, attended: true };

  it('has its findings held, and plans nothing', () => {
    expect(decide(input).plans).toEqual([{ check: 'iptables-ghosts', steps: [writeOf('a'), writeOf('b')] }]);
    const decision = decide({ ...input, lockOuts: new Map([['iptables-ghosts', 'no SSH']]) });
    expect(decision).toMatchObject({ steps: [], plans: [], why: [] });
    const remedies = decision.examinations.flatMap(({ diagnosis }) =>
      diagnosis.findings.map(({ remedy }) => remedy),
    );
    expect(remedies).toEqual(remedies.map(() => ({ kind: 'held', reason: 'no SSH' })));
    expect(remedies).toHaveLength(2);
  });

  it('is none of the others', () => {
    const decision = decide({ ...input, lockOuts: new Map([['ufw-overlay', 'no SSH']]) });
    expect(decision.steps).toHaveLength(2);
  });
});
