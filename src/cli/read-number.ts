import { DoctorError } from '../doctor-error.ts';

/** A whole number, decimal or 0x..., from 0 or `least` to `most`. @throws DoctorError `usage`. */
export function numberIn(option: string, text: string, most: number, least = 0): number {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`${option}: expected a number from ${least} to ${most}, not "${text}"`);
}

export function usage(message: string, hint?: string): DoctorError {
  return new DoctorError('usage', message, hint === undefined ? {} : { hint });
}
