export interface RunIdOptions {
  readonly now: Date;
  readonly pid: number;
  /** The newest id there is: the new one sorts after it even if the clock was set back. */
  readonly latest?: string | undefined;
}

/** A new run's name, `20261121T130405123Z-1234`: UTC to the millisecond and the process. Sorts by time. */
export function newRunId({ now, pid, latest = '' }: RunIdOptions): string {
  const stamp = stampOf(now);
  const [latestStamp = ''] = latest.split('-');
  const isOrdered = !isRunId(latest) || stamp > latestStamp;
  return `${isOrdered ? stamp : stampAfter(latestStamp)}-${pid}`;
}

export function isRunId(text: string): boolean {
  return /^\d{8}T\d{9}Z-\d+$/.test(text);
}

function stampOf(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, '');
}

function stampAfter(stamp: string): string {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(stamp) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  // No time at all, or the last one that has four digits of a year: nothing can come after it.
  return Number.isNaN(time) || stamp.startsWith('99991231T235959999') ? stamp : stampOf(new Date(time + 1));
}
