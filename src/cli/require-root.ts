import { DoctorError } from '../doctor-error.ts';

/** Throws DoctorError `undetermined` when this is not root. `why` follows "must be root". */
export function requireRoot(why: string, hint = 'run it with sudo'): void {
  if (process.getuid?.() === 0) return;
  throw new DoctorError('undetermined', `k3s-doctor must be root ${why}`, { hint });
}
