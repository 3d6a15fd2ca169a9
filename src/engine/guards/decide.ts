import type { CheckId, Config } from '../../config/config.ts';
import type { Check, Plan } from '../check.ts';
import { count } from '../count.ts';
import type { Examination } from '../examine.ts';
import { type Finding, findingKey } from '../finding.ts';
import type { RepairedFinding } from '../journal.ts';
import type { Step } from '../step.ts';
import { describeStep } from '../steps/steps.ts';
import { findingDigest } from './finding-digest.ts';
import { describePause, pauseOf } from './pause.ts';
import { addSightings, type Sighting } from './sightings.ts';
import type { State } from './state.ts';
import { ageMs, minutesAfter, showTime } from './times.ts';

export interface DecideInput {
  readonly examinations: readonly Examination[];
  readonly state: State;
  readonly config: Config;
  readonly now: Date;
  /** A person decides: what guards against a timer's haste does not concern him. */
  readonly attended: boolean;
  /** In place of all configured caps. */
  readonly maxChanges?: number | undefined;
  /** Checks whose plans would lock people out of the node, and how. */
  readonly lockOuts?: ReadonlyMap<CheckId, string>;
  /** Repairs of other checks wait. */
  readonly alone?: CheckId;
}

export interface Decision {
  /** Findings that a guard keeps from being repaired are `held`, and their plans leave them out. */
  readonly examinations: readonly Examination[];
  readonly steps: readonly Step[];
  /** The same steps by the checks that plan them, in order; those that plan none are left out. */
  readonly plans: readonly { readonly check: CheckId; readonly steps: readonly Step[] }[];
  /** The findings that the steps repair. */
  readonly why: readonly RepairedFinding[];
  /** With what this run saw, to be written before anything is done; the same object when nothing is new. */
  readonly state: State;
}

/** Decides what this run may repair, and makes the plan for it. Pure. */
export function decide(input: DecideInput): Decision {
  const { examinations, attended, config, now } = input;
  const { sightings, state } = attended
    ? { sightings: [], state: input.state }
    : addSightings(input.state, examinations, { config, now });
  const bySight = new Map(sightings.map((sighting) => [sighting.finding, sighting]));
  const everything = reasonForAll({ ...input, state });
  const decided = examinations.map((examination) =>
    decideCheck(examination, input, (finding) => {
      if (everything !== undefined) return everything;
      const sighting = bySight.get(finding);
      const reason = sighting && reasonToWait(sighting, examination.check, input);
      if (reason !== undefined || input.alone === undefined || input.alone === examination.check.id)
        return reason;
      return `it failed together with that of ${input.alone}, which is tried by itself now; doctor fix ${examination.check.id} does not wait`;
    }),
  );
  const plans = decided.flatMap(({ examination, plan: { steps } }) =>
    steps.length === 0 ? [] : [{ check: examination.check.id, steps }],
  );
  // A plan is taken back as a whole: what is good is not to be lost for ever to what fails beside it.
  const hasFailed = decided.some(({ plan }) =>
    plan.repairs.some((finding) => (bySight.get(finding)?.memory.failedAttempts ?? 0) > 0),
  );
  const [first] = plans;
  if (first && plans.length > 1 && hasFailed) return decide({ ...input, alone: first.check });
  return {
    examinations: decided.map(({ examination }) => examination),
    steps: plans.flatMap(({ steps }) => steps),
    plans,
    why: decided.flatMap(({ examination, plan }) =>
      plan.repairs.map((finding) => ({
        key: findingKey(examination.check.id, finding),
        message: finding.message,
        digest: findingDigest(finding),
      })),
    ),
    state,
  };
}

/** Why nothing at all is repaired by this run; undefined when it may be. */
function reasonForAll({ state, config, now, attended }: DecideInput): string | undefined {
  const pause = pauseOf(state, now);
  if (pause) return `${describePause(pause)}; doctor resume ends it`;
  const { failures, openUntil } = state.breaker;
  if (attended || openUntil === undefined || ageMs(openUntil, now) >= 0) return undefined;
  return `${count(failures, 'run')} in a row failed (guards.breaker.failures is ${config.guards.breaker.failures}): nothing is repaired unattended before ${showTime(openUntil)}; see doctor history, doctor resume ends it`;
}

/** Why an unattended run leaves a finding alone for now; undefined when it need not. */
function reasonToWait(
  { finding, memory, grownBy }: Sighting,
  { recurs }: Check,
  { config, now }: DecideInput,
): string | undefined {
  const { strikes, cooldownMinutes, attempts } = config.guards;
  const { undoneBy, failedAttempts, repeats = 0, lastAttemptAt, seen } = memory;
  if (undoneBy !== undefined)
    return `a person took this repair back by run ${undoneBy}; doctor fix repeats it`;
  if (failedAttempts >= attempts)
    return `its repair failed ${count(failedAttempts, 'time')} in a row (guards.attempts is ${attempts}): it is only reported until something about it changes; doctor fix tries again`;
  const restUntil = lastAttemptAt && minutesAfter(new Date(lastAttemptAt), cooldownMinutes);
  const isAgain = recurs === true && failedAttempts === 0;
  const isTug = isAgain && repeats >= attempts;
  if (restUntil && isTug && ageMs(restUntil, now) < 0)
    return `its repair was done ${count(repeats + 1, 'time')} and does not last: something takes it back each time (GitOps, another tool?); it is left alone until ${showTime(restUntil)} (guards.cooldownMinutes is ${cooldownMinutes}); doctor fix does not wait`;
  if (restUntil && !isAgain && ageMs(restUntil, now) < 0)
    return `its repair was tried at ${showTime(lastAttemptAt)}: it is left alone until ${showTime(restUntil)} (guards.cooldownMinutes is ${cooldownMinutes}); doctor fix does not wait`;
  if (seen < strikes) {
    const last = seen + 1 >= strikes;
    const sight = seen === 1 ? 'seen for the first time' : `seen by ${seen} runs in a row`;
    return `${sight}: it is repaired when ${last ? 'the next run sees' : `${strikes - seen} more runs see`} it, too (guards.strikes is ${strikes})`;
  }
  if (grownBy > 0 && finding.activity?.answered)
    return `its counter grew by ${grownBy} since the last run and connections through it are answered: it may be live; doctor fix repairs it all the same`;
  return undefined;
}

interface DecidedCheck {
  readonly examination: Examination;
  readonly plan: Plan;
}

function decideCheck(
  { check, diagnosis }: Examination,
  { config, maxChanges, lockOuts }: DecideInput,
  reasonToHold: (finding: Finding) => string | undefined,
): DecidedCheck {
  const held = new Map<Finding, string>();
  const planned = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'planned');
  const hold = (reasonOf: (finding: Finding) => string | undefined) => {
    for (const finding of planned) {
      const reason = held.get(finding) ?? reasonOf(finding);
      if (reason !== undefined) held.set(finding, reason);
    }
  };
  const planWhat = (mayRepair: (finding: Finding) => boolean) =>
    diagnosis.plan((finding) => !held.has(finding) && mayRepair(finding));

  const { mode, maxChanges: ownCap } = config.checks[check.id];
  if (mode !== 'fix')
    hold(() => `checks.${check.id}.mode is ${mode}: it is never repaired; set it to fix to change that`);
  hold(reasonToHold);
  const tooMany = reasonAgainst(planWhat(() => true).steps, {
    cap: maxChanges ?? ownCap ?? config.guards.maxChanges,
    setting: ownCap === undefined ? 'guards.maxChanges' : `checks.${check.id}.maxChanges`,
    isOption: maxChanges !== undefined,
  });
  if (tooMany !== undefined) hold(() => tooMany);
  const lockOut = lockOuts?.get(check.id);
  if (lockOut !== undefined) hold(() => lockOut);
  const plan = planWhat(() => true);
  const repairs = new Set(plan.repairs);
  hold((finding) =>
    repairs.has(finding)
      ? undefined
      : 'it can only be repaired together with others that are not repaired now',
  );

  const findings = diagnosis.findings.map((finding): Finding => {
    const reason = held.get(finding);
    return reason === undefined ? finding : { ...finding, remedy: { kind: 'held', reason } };
  });
  return { examination: { check, diagnosis: { ...diagnosis, findings, plan: planWhat } }, plan };
}

function reasonAgainst(
  steps: readonly Step[],
  { cap, setting, isOption }: { readonly cap: number; readonly setting: string; readonly isOption: boolean },
): string | undefined {
  const changes = steps.reduce((sum, step) => sum + describeStep(step).changes, 0);
  if (changes <= cap) return undefined;
  const source = isOption ? '' : ` (${setting})`;
  return `the plan makes ${count(changes, 'change')}, more than the cap of ${cap}${source}; if that is right, use --max-changes ${changes}`;
}
