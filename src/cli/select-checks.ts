import { checkIds, isCheckId, loadChecks } from '../checks/registry.ts';
import type { CheckId, Config } from '../config/config.ts';
import { nearest } from '../config/nearest.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Check } from '../engine/check.ts';

/**
 * The checks of the given ids, all without any, but for those that are off in the configuration.
 * DoctorError `usage` for an id that does not exist.
 */
export async function selectChecks(ids: readonly string[], config: Config): Promise<readonly Check[]> {
  const selected = ids.length === 0 ? checkIds : [...new Set(ids)].map(parseCheckId);
  return loadChecks(selected.filter((id) => config.checks[id].mode !== 'off'));
}

export function parseCheckId(id: string): CheckId {
  if (isCheckId(id)) return id;
  const near = nearest(id, [...checkIds, 'check', 'fix', 'trace', 'list', 'explain']);
  throw new DoctorError('usage', `there is no check or command "${id}"`, {
    hint: near ? `did you mean "${near}"? "doctor list" shows all` : '"doctor list" shows what there is',
  });
}
