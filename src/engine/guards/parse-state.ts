import type { Breaker, FindingState, Pause, State } from './state.ts';

/** What is remembered when nothing is: everything has to be seen anew. */
export const emptyState: State = { schemaVersion: 1, findings: {}, breaker: { failures: 0 } };

export type ParsedState =
  | { readonly kind: 'state'; readonly state: State }
  /** `paused`: a pause can be read even so, and still holds. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly paused: Pause | undefined };

/** Reads the text of state.json. By hand: the parser of schemas costs more than the whole of a healthy run. */
export function parseState(text: string): ParsedState {
  const value = parseJson(text);
  if (!isObject(value)) return { kind: 'unusable', reason: 'it is damaged', paused: undefined };
  const { schemaVersion, paused, findings, breaker, lastRun } = value;
  const pause = isPause(paused) ? paused : undefined;
  if (schemaVersion !== 1) {
    const isNewer = typeof schemaVersion === 'number' && schemaVersion > 1;
    const reason = isNewer ? `a newer k3s-doctor wrote it (schema ${schemaVersion})` : 'it is damaged';
    return { kind: 'unusable', reason, paused: pause };
  }
  if (!isFindings(findings) || !isBreaker(breaker) || (paused !== undefined && !pause))
    return { kind: 'unusable', reason: 'it is damaged', paused: pause };
  const rest = { ...(pause && { paused: pause }), ...(isText(lastRun) && { lastRun }) };
  return { kind: 'state', state: { schemaVersion, findings, breaker, ...rest } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPause(value: unknown): value is Pause {
  if (!isObject(value)) return false;
  const { reason, by, at, until } = value;
  return typeof reason === 'string' && typeof by === 'string' && isTime(at) && isOptional(until, isTime);
}

function isBreaker(value: unknown): value is Breaker {
  return isObject(value) && isCount(value['failures']) && isOptional(value['openUntil'], isTime);
}

function isFindings(value: unknown): value is State['findings'] {
  return isObject(value) && Object.values(value).every(isFindingState);
}

function isFindingState(value: unknown): value is FindingState {
  if (!isObject(value)) return false;
  const { seen, lastSeenAt, packets, lastAttemptAt, failedAttempts, repeats, plan, undoneBy } = value;
  return (
    isCount(seen) &&
    isTime(lastSeenAt) &&
    isOptional(packets, isCount) &&
    isOptional(lastAttemptAt, isTime) &&
    isCount(failedAttempts) &&
    isOptional(repeats, isCount) &&
    isOptional(plan, isText) &&
    isOptional(undoneBy, isText)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOptional(value: unknown, isValid: (value: unknown) => boolean): boolean {
  return value === undefined || isValid(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Exactly as it is written: times are compared as text. */
function isTime(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}
