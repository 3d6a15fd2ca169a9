import { DoctorError } from '../doctor-error.ts';
import { type Check, type Diagnosis, withoutFindings } from './check.ts';
import type { FactContext } from './fact.ts';

export interface Examination {
  readonly check: Check;
  readonly diagnosis: Diagnosis;
}

/** Runs checks over one set of facts. A fact that cannot be gathered makes its checks `unknown`. */
export function examine(checks: readonly Check[], context: FactContext): Promise<Examination[]> {
  return Promise.all(checks.map(async (check) => ({ check, diagnosis: await diagnose(check, context) })));
}

async function diagnose(check: Check, context: FactContext): Promise<Diagnosis> {
  try {
    return await check.run(context);
  } catch (error) {
    if (!(error instanceof DoctorError) || error.code !== 'undetermined') throw error;
    const reasons = [error.hint ? `${error.message}; ${error.hint}` : error.message];
    return withoutFindings('unknown', reasons);
  }
}
