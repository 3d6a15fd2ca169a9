import { DoctorError } from '../doctor-error.ts';

const minutesOf: Readonly<Record<string, number>> = { m: 1, h: 60, d: 24 * 60 };
const maxMinutes = 30 * 24 * 60;

/** Minutes of `30m`, `2h` or `1d`; up to 30 days. Throws DoctorError `usage` for anything else. */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const minutes = Number(amount) * (minutesOf[unit] ?? 0);
  if (minutes >= 1 && minutes <= maxMinutes) return minutes;
  throw new DoctorError('usage', `"${text}" is no duration`, {
    hint: 'expected minutes, hours or days, such as 30m, 2h or 1d, up to 30d',
  });
}
