/** Times are ISO 8601, UTC, to the millisecond. */

/** Negative when the time is still to come. */
export function ageMs(time: string, now: Date): number {
  return now.getTime() - Date.parse(time);
}

export function minutesAfter(now: Date, minutes: number): string {
  return new Date(now.getTime() + minutes * 60_000).toISOString();
}

/** `2026-11-21 13:04 UTC` */
export function showTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
