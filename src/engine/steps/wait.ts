import { setTimeout as sleep } from 'node:timers/promises';
import type { Seen } from '../conditions/seen.ts';
import { printWhatIsAsked, watch } from '../conditions/watch.ts';
import type { WaitStep } from '../step.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

/**
 * Waits until what was changed has come about. What cannot be asked for a while is not so yet: that is no
 * end. A look that is under way at the deadline still counts.
 */
export const wait: StepKind<WaitStep, object> = {
  describe,
  probe,
  apply,
  verify,
  revert: () => undefined,
  backup: { name: () => 'wait.json', print: () => '{}\n', parse: () => ({}) },
};

function describe({ title, until, deadlineMs }: WaitStep): StepDescription {
  return {
    title: `wait until ${title}`,
    command: `${printWhatIsAsked(until)}, every ${pollMs / 1000} s for ${deadlineMs / 1000} s at most`,
    input: undefined,
    changes: 0,
    reversible: true,
    firewall: false,
    volatile: false,
    waits: true,
  };
}

const pollMs = 1_000;

async function probe({ until }: WaitStep, { host }: StepContext): Promise<Probe<object>> {
  const seen = await watch(until, host)();
  return seen.kind === 'holds' ? { kind: 'done', notes: [] } : { kind: 'needed', before: {} };
}

async function apply(step: WaitStep, _before: object, context: StepContext): Promise<Written> {
  const stopped = Promise.withResolvers<'stopped'>();
  const stop = () => stopped.resolve('stopped');
  const { signal } = context;
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  // Of this process' own clock: that of the node may be set meanwhile.
  const end = performance.now() + step.deadlineMs;
  const look = watch(step.until, context.host);
  try {
    for (;;) {
      const seen = await Promise.race([look(), stopped.promise]);
      if (seen === 'stopped') return { kind: 'failed', reason: `${step.title}: stopped` };
      if (seen.kind === 'holds') return { kind: 'written' };
      // A timer may go off a little early.
      const left = Math.round(end - performance.now());
      if (seen.kind === 'not-yet' && left <= 0 && step.orGoOn) return { kind: 'written' };
      if (seen.kind === 'never' || left <= 0) return { kind: 'failed', reason: await inVain(step, seen) };
      await Promise.race([sleep(Math.min(pollMs, left)), stopped.promise]);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function inVain(
  { title, deadlineMs }: WaitStep,
  seen: Exclude<Seen, { kind: 'holds' }>,
): Promise<string> {
  if (seen.kind === 'never') return `${title}: ${seen.seen}`;
  return `${title}: not so within ${deadlineMs / 1000} s: ${(await seen.explain?.()) ?? seen.seen}`;
}

async function verify({ title, until }: WaitStep, _before: object, { host }: StepContext): Promise<Verdict> {
  const seen = await watch(until, host)();
  if (seen.kind === 'holds') return { kind: 'as-planned', notes: [] };
  return { kind: 'not-as-planned', reason: `${title}: ${seen.seen}` };
}
