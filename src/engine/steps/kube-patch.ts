import { isDeepStrictEqual } from 'node:util';
import { count } from '../count.ts';
import type { FieldChange, KubePatchStep } from '../step.ts';
import { isObject, parseObject, printObject } from './json-object.ts';
import { findPlace } from './json-pointer.ts';
import { printDifference } from './print-difference.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

/** What the patched fields were, for a person; the step itself knows it, too. */
export interface FieldsBefore {
  readonly resourceVersion: string;
  /** By pointer; a field that was not there is left out. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Sets fields of one object of the cluster.
 *
 * The patch tests the version of the object that was just read, and each field that it replaces, so
 * that the API server does all of it or nothing, and never to an object that somebody else has changed
 * meanwhile. Then it is read again, and patched again while the fields are still as planned.
 */
export const kubePatch: StepKind<KubePatchStep, FieldsBefore> = {
  describe,
  probe,
  apply,
  verify,
  revert: (step) => ({
    ...step,
    title: step.title.startsWith(takeBack) ? step.title.slice(takeBack.length) : `${takeBack}${step.title}`,
    fields: step.fields.toReversed().map(({ pointer, was, value }) => fieldChange(pointer, value, was)),
  }),
  backup: {
    name: ({ object }) =>
      `${object
        .replace(/^\//, '')
        .replace(/[^\w.-]/g, '_')
        .slice(-80)}.json`,
    print: printObject,
    parse,
  },
};

const takeBack = 'take back: ';
const maxAttempts = 3;

function describe({ title, object, fields }: KubePatchStep): StepDescription {
  return {
    title,
    command: `PATCH ${object} (application/json-patch+json)`,
    input: `${JSON.stringify(fields.flatMap(operations), undefined, 2)}\n`,
    changes: fields.length,
    reversible: true,
    firewall: false,
    volatile: false,
  };
}

async function probe(step: KubePatchStep, context: StepContext): Promise<Probe<FieldsBefore>> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return seen;
  if (seen.kind === 'gone') return { kind: 'moved-on', reason: seen.reason };
  if (difference(step, seen.object, 'value') === undefined) return { kind: 'done', notes: [] };
  const problem = difference(step, seen.object, 'was') ?? obstacle(step, seen.object);
  if (problem !== undefined) return { kind: 'moved-on', reason: `${step.object}: ${problem}` };
  const known = step.fields.filter(({ was }) => was !== undefined).map(({ pointer, was }) => [pointer, was]);
  return {
    kind: 'needed',
    before: { resourceVersion: seen.resourceVersion, fields: Object.fromEntries(known) },
  };
}

async function apply(step: KubePatchStep, _before: FieldsBefore, context: StepContext): Promise<Written> {
  let conflict = '';
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const seen = await look(step, context);
    if (seen.kind !== 'seen') return { kind: 'failed', reason: seen.reason };
    if (difference(step, seen.object, 'value') === undefined) return { kind: 'written' };
    const problem = difference(step, seen.object, 'was') ?? obstacle(step, seen.object);
    if (problem !== undefined) return { kind: 'failed', reason: `${step.object}: ${problem}` };
    const version = { op: 'test', path: '/metadata/resourceVersion', value: seen.resourceVersion };
    const patch = JSON.stringify([version, ...step.fields.flatMap(operations)]);
    const result = await context.host.kubePatch(step.object, patch);
    if (result.kind === 'patched') return { kind: 'written' };
    if (result.kind === 'unavailable') return { kind: 'failed', reason: `${step.object}: ${result.reason}` };
    conflict = result.reason;
  }
  return { kind: 'failed', reason: `${step.object}: refused ${count(maxAttempts, 'time')}: ${conflict}` };
}

async function verify(step: KubePatchStep, _before: FieldsBefore, context: StepContext): Promise<Verdict> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return { kind: 'unreadable', reason: seen.reason };
  if (seen.kind === 'gone') return { kind: 'not-as-planned', reason: seen.reason };
  const problem = difference(step, seen.object, 'value');
  if (problem === undefined) return { kind: 'as-planned', notes: [] };
  return { kind: 'not-as-planned', reason: `${step.object}: ${problem}` };
}

type Seen =
  | { readonly kind: 'seen'; readonly object: unknown; readonly resourceVersion: string }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

async function look({ object: path }: KubePatchStep, { host }: StepContext): Promise<Seen> {
  const answer = await host.kubeGet(path);
  if (answer.kind === 'unavailable') {
    return { kind: answer.status === 404 ? 'gone' : 'failed', reason: `${path}: ${answer.reason}` };
  }
  const object = parseObject(answer.body);
  const metadata = object?.['metadata'];
  const resourceVersion = isObject(metadata) ? metadata['resourceVersion'] : undefined;
  if (typeof resourceVersion === 'string') return { kind: 'seen', object, resourceVersion };
  return { kind: 'failed', reason: `${path}: the answer is no object with a resourceVersion` };
}

/** The first field that is not as it was, or not as it is to be; undefined when all are. */
function difference(
  { object: path, fields }: KubePatchStep,
  object: unknown,
  which: 'was' | 'value',
): string | undefined {
  for (const field of fields) {
    const place = findPlace(object, field.pointer);
    const found = place.kind === 'nowhere' ? undefined : place.value;
    if (isDeepStrictEqual(found, field[which])) continue;
    // A Secret is not quoted.
    if (path.includes('/secrets/')) return `${field.pointer} has another value than expected`;
    return `${field.pointer} ${printDifference(found, field[which])}`;
  }
  return undefined;
}

/** Why the patch could not be done as meant, on an object whose fields are as they were. */
function obstacle({ fields }: KubePatchStep, object: unknown): string | undefined {
  for (const { pointer, was, value } of fields) {
    const place = findPlace(object, pointer);
    if (place.kind === 'nowhere' && value !== undefined) {
      return `${pointer} cannot be added: there is no object at ${place.missing}`;
    }
    if (place.kind === 'element' && (was === undefined || value === undefined)) {
      return `${pointer} is an element of a list: a list grows and shrinks only as a whole`;
    }
  }
  return undefined;
}

function operations({ pointer: path, was, value }: FieldChange): object[] {
  // What is not there cannot be tested for; the version of the object stands for it.
  const test = was === undefined ? [] : [{ op: 'test', path, value: was }];
  if (value === undefined) return was === undefined ? [] : [...test, { op: 'remove', path }];
  return [...test, { op: was === undefined ? 'add' : 'replace', path, value }];
}

function fieldChange(pointer: string, was: unknown, value: unknown): FieldChange {
  return { pointer, ...(was !== undefined && { was }), ...(value !== undefined && { value }) };
}

function parse(text: string): FieldsBefore | undefined {
  const { resourceVersion, fields } = parseObject(text) ?? {};
  return typeof resourceVersion === 'string' && isObject(fields) ? { resourceVersion, fields } : undefined;
}
