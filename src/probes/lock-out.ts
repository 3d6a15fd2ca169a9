import { DoctorError } from '../doctor-error.ts';
import type { FactContext } from '../engine/fact.ts';
import type { LockOut, LockOutGuard } from '../engine/guards/lock-out.ts';
import type { Step } from '../engine/step.ts';
import { describeStep } from '../engine/steps/steps.ts';
import { firewallFact } from '../facts/firewall.ts';
import { type SshSession, sshAccessFact } from '../facts/ssh-access.ts';
import type { Way } from '../facts/ways/way.ts';
import { afterChanges, type RuleChange } from '../netfilter/walk/after-changes.ts';
import { createFirewall, type Firewall } from '../netfilter/walk/firewall.ts';
import type { Walk } from '../netfilter/walk/walk.ts';
import { compareWalks } from './compare-walks.ts';
import { findWays, isAnybodyThere } from './protected-ways.ts';
import { ruleChangesOf } from './rule-changes.ts';

/**
 * Walks SSH and the API over the rules as they would be after each step of a plan, and refuses a plan
 * that takes away any of the ways that there are now: also in between, where a run that is killed would
 * leave the node until the next one.
 */
export const refuseLockOut: LockOutGuard = async (context, plans) => {
  try {
    // A node that nobody logs in to and that has no API has nobody to lock out.
    return (await isAnybodyThere(context)) ? await judgePlans(context, plans) : plans.map(() => nothing);
  } catch (error) {
    if (!(error instanceof DoctorError) || error.code !== 'undetermined') throw error;
    return plans.map(() => refused(`whether SSH and the API stay open cannot be told: ${error.message}`));
  }
};

async function judgePlans(
  context: FactContext,
  plans: readonly (readonly Step[])[],
): Promise<readonly LockOut[]> {
  const firewall = await context.get(firewallFact);
  if (firewall.reading.network.links === undefined) {
    return plans.map(() =>
      refused('who is to stay connected cannot be told: ip does not list the addresses of this node'),
    );
  }
  const ways = await findWays(context, firewall.reading);
  const { sessions } = await context.get(sshAccessFact);
  let now: State = {
    firewall,
    sessions,
    walks: new Map(ways.map((way) => [way, firewall.walk(way.packet)])),
  };
  return plans.map((steps) => {
    const { after, ...verdict } = judgePlan(steps, now);
    now = after;
    return verdict;
  });
}

const nothing: LockOut = { reasons: [], notes: [] };
function refused(reason: string): LockOut {
  return { reasons: [reason], notes: [] };
}

interface State {
  readonly firewall: Firewall;
  readonly sessions: readonly SshSession[];
  readonly walks: ReadonlyMap<Way, Walk>;
}

/** `after`: as before where the plan is refused. */
function judgePlan(steps: readonly Step[], now: State): LockOut & { readonly after: State } {
  const notes = new Set<string>();
  let after = now;
  for (const step of steps) {
    const { title } = describeStep(step);
    const ended = endedSession(step, now.sessions);
    if (ended)
      return { ...refused(`${title}: it would end the open SSH session with ${ended.peer}`), after: now };
    const told = ruleChangesOf(step, after.firewall.reading);
    if (told.kind === 'untold') return { ...refused(`${title}: ${told.reason}`), after: now };
    const next = walkAfter(told.changes, after);
    const reasons = new Set<string>();
    for (const [way, walk] of next.walks) {
      const before = now.walks.get(way);
      if (!before || before === walk) continue;
      const compared = compareWalks(way, before, walk);
      if (compared.kind === 'worse') reasons.add(`${title}: ${way.title} ${compared.reason}`);
      if (compared.kind === 'untold') notes.add(`${way.title} ${compared.reason}`);
    }
    if (reasons.size > 0) return { reasons: [...reasons], notes: [], after: now };
    after = next;
  }
  return { reasons: [], notes: [...notes], after };
}

/** One that was translated to this node, as what the step takes for dead. */
function endedSession(step: Step, sessions: readonly SshSession[]): SshSession | undefined {
  if (step.kind !== 'conntrack-delete') return undefined;
  return sessions.find(({ address, port }) =>
    step.flows.some(({ target, targetPort }) => target === address && targetPort === port),
  );
}

/** Only the ways that the changes can be of any concern to are walked again. */
function walkAfter(changes: readonly RuleChange[], state: State): State {
  const reading = afterChanges(state.firewall.reading, changes);
  if (reading === state.firewall.reading) return state;
  const firewall = createFirewall(reading);
  const walks = [...state.walks].map(([way, walk]): [Way, Walk] => {
    const isConcerned = changes.some((change) => concerns(change, way));
    return [way, isConcerned ? firewall.walk(way.packet) : walk];
  });
  return { ...state, firewall, walks: new Map(walks) };
}

/** nat tables are asked for the first packet of a connection alone. */
function concerns({ family, change }: RuleChange, { packet }: Way): boolean {
  const { table } = change.kind === 'remove' ? change.removal : change.addition;
  return family === packet.family && (table !== 'nat' || packet.state === 'NEW');
}
