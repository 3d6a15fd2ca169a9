import type { Report } from './report-schema.ts';

/** How an earlier run that was killed has been brought to an end, as a sentence. */
export function settledWords({ verb, run, outcome }: NonNullable<Report['settled']>): string {
  const how = {
    done: 'had done its work before it was killed; it stands',
    reverted: 'was killed at its work and has been taken back',
    incomplete: 'was killed at its work and could not be taken back',
    'moved-on': 'was killed when it had given up',
    stopped: 'was killed when it had been stopped',
  }[outcome];
  return `an earlier ${verb}, run ${run}, ${how}`;
}
