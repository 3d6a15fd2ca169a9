/**
 * install/: putting the product's units and its example of a configuration on a node, and taking them
 * off again. Both are runs like any other: planned as steps, journalled, taken back when they fail.
 */
import { DoctorError } from '../doctor-error.ts';

/** What `--enable` knows, and the unit that each stands for. A timer starts the service of its name. */
export const enableable = {
  cleanup: 'k3s-iptables-cleanup.timer',
  'forward-rules': 'k3s-forward-rules.service',
  coredns: 'k3s-coredns.timer',
  doctor: 'k3s-doctor.timer',
} as const;

export type EnableName = keyof typeof enableable;

/** Every unit that is shipped. */
export const unitNames: readonly string[] = Object.values(enableable).flatMap((unit) =>
  isTimer(unit) ? [unit.replace(/timer$/, 'service'), unit] : [unit],
);

export const exampleFile = '/etc/k3s-doctor/config.example.yaml';

export const systemUnitFolder = '/etc/systemd/system';

/** A file of the product's, as it is to be on the node. */
export interface ShippedFile {
  readonly path: string;
  readonly content: string;
}

/** Reads `cleanup,coredns,doctor`. Throws DoctorError `usage` for a name that is none. */
export function parseEnableNames(text: string): readonly EnableName[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isEnableName(name));
  if (unknown !== undefined) {
    throw new DoctorError('usage', `there is no unit "${unknown}" to enable`, {
      hint: `there are ${Object.keys(enableable).join(', ')}`,
    });
  }
  return [...new Set(names.filter(isEnableName))];
}

export function isTimer(unit: string): boolean {
  return unit.endsWith('.timer');
}

export function isUnit(path: string): boolean {
  return /\.(service|timer)$/.test(path);
}

function isEnableName(name: string): name is EnableName {
  return Object.hasOwn(enableable, name);
}
