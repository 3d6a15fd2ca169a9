/**
 * install/: putting the product's units and its example of a configuration on a node, and taking them
 * off again. Both are runs like any other: planned as steps, journalled, taken back when they fail.
 */
import { DoctorError } from '../doctor-error.ts';

/** What `--enable` knows, and the units that each stands for, without their suffixes. */
export const timers = {
  cleanup: 'k3s-iptables-cleanup',
  doctor: 'k3s-doctor',
} as const;

export type TimerName = keyof typeof timers;

/** Every unit that is shipped. */
export const unitNames: readonly string[] = Object.values(timers).flatMap((unit) => [
  `${unit}.service`,
  `${unit}.timer`,
]);

export const exampleFile = '/etc/k3s-doctor/config.example.yaml';

export const systemUnitFolder = '/etc/systemd/system';

/** A file of the product's, as it is to be on the node. */
export interface ShippedFile {
  readonly path: string;
  readonly content: string;
}

/** Reads `cleanup,doctor`. Throws DoctorError `usage` for a name that is none. */
export function parseTimerNames(text: string): readonly TimerName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isTimerName(name));
  if (unknown !== undefined) {
    throw new DoctorError('usage', `there is no timer "${unknown}" to enable`, {
      hint: `there are ${Object.keys(timers).join(', ')}`,
    });
  }
  return [...new Set(names.filter(isTimerName))];
}

export function isUnit(path: string): boolean {
  return /\.(service|timer)$/.test(path);
}

function isTimerName(name: string): name is TimerName {
  return Object.hasOwn(timers, name);
}
