import { checks } from '../checks/registry.ts';
import { nearest } from '../config/nearest.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Check } from '../engine/check.ts';

/** The checks of the given ids, all without any; DoctorError `usage` for an id that does not exist. */
export function selectChecks(ids: readonly string[]): readonly Check[] {
  if (ids.length === 0) return checks;
  return [...new Set(ids)].map(findCheck);
}

export function findCheck(id: string): Check {
  const check = checks.find((candidate) => candidate.id === id);
  if (check) return check;
  const near = nearest(id, [...checks.map((candidate) => candidate.id), 'check', 'fix', 'list', 'explain']);
  throw new DoctorError('usage', `there is no check or command "${id}"`, {
    hint: near ? `did you mean "${near}"? "doctor list" shows all` : '"doctor list" shows what there is',
  });
}
