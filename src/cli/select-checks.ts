import { checks } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { nearest } from '../config/nearest.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Check } from '../engine/check.ts';

/**
 * The checks of the given ids, all without any, but for those that are off in the configuration.
 * DoctorError `usage` for an id that does not exist.
 */
export function selectChecks(ids: readonly string[], config: Config): readonly Check[] {
  const selected = ids.length === 0 ? checks : [...new Set(ids)].map(findCheck);
  return selected.filter(({ id }) => config.checks[id].mode !== 'off');
}

export function findCheck(id: string): Check {
  const check = checks.find((candidate) => candidate.id === id);
  if (check) return check;
  const near = nearest(id, [
    ...checks.map((candidate) => candidate.id),
    'check',
    'fix',
    'trace',
    'list',
    'explain',
  ]);
  throw new DoctorError('usage', `there is no check or command "${id}"`, {
    hint: near ? `did you mean "${near}"? "doctor list" shows all` : '"doctor list" shows what there is',
  });
}
