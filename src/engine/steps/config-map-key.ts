import { count } from '../count.ts';
import type { ConfigMapKeyStep } from '../step.ts';
import { type Look, lookAtConfigMap, pathOf } from './config-map.ts';
import { parseObject, printObject } from './json-object.ts';
import { printDifference } from './print-difference.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

export interface KeyBefore {
  /** Whether there was the ConfigMap at all. */
  readonly existed: boolean;
  /** The key's, for a person; the step itself knows it, too. */
  readonly value: string | null;
}

/**
 * Sets one key of a ConfigMap, and makes the ConfigMap if need be.
 *
 * One that is there is patched: the patch tests its version and the old value, as a kube-patch does. One
 * that is not there is applied with nothing but our key, which adds to a ConfigMap that somebody makes at
 * the same moment and takes nothing from it. Deleted is only one that is still as it was read.
 */
export const configMapKey: StepKind<ConfigMapKeyStep, KeyBefore> = {
  describe,
  probe,
  apply,
  verify,
  revert: ({ kind, namespace, name, key, was, value }, { existed }) => ({
    ...{ kind, namespace, name, key, was: value, value: was },
    ...(!existed && { removesEmpty: true }),
  }),
  backup: {
    name: ({ namespace, name }) => `${namespace}_${name}.json`,
    print: printObject,
    parse(text) {
      const { existed, value } = parseObject(text) ?? {};
      const isValue = value === null || typeof value === 'string';
      return typeof existed === 'boolean' && isValue ? { existed, value } : undefined;
    },
  },
};

const maxAttempts = 3;

function describe(step: ConfigMapKeyStep): StepDescription {
  const { namespace, name, key, was, value, removesEmpty } = step;
  const verb = value === null ? 'remove' : was === null ? 'add' : 'replace';
  const otherwise = value === null ? 'DELETE if nothing else is in it' : 'applied if it is not there';
  const isCertain = value === null ? !removesEmpty : was !== null;
  return {
    title: `ConfigMap ${namespace}/${name}: ${verb} ${key}`,
    command: `PATCH ${pathOf(step)} (application/json-patch+json${isCertain ? '' : `; ${otherwise}`})`,
    input: `${JSON.stringify(operations(step, true), undefined, 2)}\n`,
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: false,
  };
}

async function probe(step: ConfigMapKeyStep, context: StepContext): Promise<Probe<KeyBefore>> {
  const seen = await lookAtConfigMap(step, context);
  if (seen.kind === 'failed') return seen;
  if (isDone(step, seen)) return { kind: 'done', notes: [] };
  const obstacle = whyNot(step, seen);
  return obstacle ?? { kind: 'needed', before: { existed: seen.kind === 'seen', value: step.was } };
}

async function apply(step: ConfigMapKeyStep, _before: KeyBefore, context: StepContext): Promise<Written> {
  let conflict = '';
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const seen = await lookAtConfigMap(step, context);
    if (seen.kind === 'failed') return seen;
    if (isDone(step, seen)) return { kind: 'written' };
    const obstacle = whyNot(step, seen);
    if (obstacle) return { kind: 'failed', reason: obstacle.reason };
    const result = await write(step, seen, context);
    if (result.kind === 'patched') return { kind: 'written' };
    if (result.kind === 'unavailable') return { kind: 'failed', reason: `${pathOf(step)}: ${result.reason}` };
    conflict = result.reason;
  }
  return { kind: 'failed', reason: `${pathOf(step)}: refused ${count(maxAttempts, 'time')}: ${conflict}` };
}

async function verify(step: ConfigMapKeyStep, _before: KeyBefore, context: StepContext): Promise<Verdict> {
  const seen = await lookAtConfigMap(step, context);
  if (seen.kind === 'failed') return { kind: 'unreadable', reason: seen.reason };
  if (isDone(step, seen)) return { kind: 'as-planned', notes: [] };
  return {
    kind: 'not-as-planned',
    reason: `${describe(step).title}: ${difference(step.key, seen, step.value)}`,
  };
}

type Known = Exclude<Look, { kind: 'failed' }>;

function write(step: ConfigMapKeyStep, seen: Known, { host }: StepContext) {
  const { namespace, name, key, value, removesEmpty } = step;
  const path = pathOf(step);
  if (seen.kind === 'absent') {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { [key]: value },
    };
    return host.kubeApply(path, JSON.stringify(object));
  }
  const { uid, resourceVersion } = seen;
  if (value === null && removesEmpty && seen.isOnlyThatKey)
    return host.kubeDelete(path, { uid, resourceVersion });
  const version = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion };
  return host.kubePatch(path, JSON.stringify([version, ...operations(step, seen.hasData)]));
}

/** What is not there cannot be tested for; the version of the object stands for it. */
function operations({ key, was, value }: ConfigMapKeyStep, hasData: boolean): object[] {
  const path = `/data/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const test = was === null ? [] : [{ op: 'test', path, value: was }];
  if (value === null) return [...test, { op: 'remove', path }];
  if (!hasData) return [{ op: 'add', path: '/data', value: { [key]: value } }];
  return [...test, { op: was === null ? 'add' : 'replace', path, value }];
}

function isDone({ value }: ConfigMapKeyStep, seen: Known): boolean {
  return seen.kind === 'absent' ? value === null : !seen.isBinary && seen.value === value;
}

function whyNot(
  step: ConfigMapKeyStep,
  seen: Known,
): { readonly kind: 'moved-on' | 'failed'; readonly reason: string } | undefined {
  const path = pathOf(step);
  const found = seen.kind === 'absent' ? null : seen.value;
  if (found !== step.was || (seen.kind === 'seen' && seen.isBinary)) {
    return { kind: 'moved-on', reason: `${path}: ${difference(step.key, seen, step.was)}` };
  }
  if (seen.kind === 'absent') return undefined;
  if (seen.isEnding) return { kind: 'moved-on', reason: `${path}: it is being deleted` };
  if (!seen.isImmutable) return undefined;
  const reason = `${path}: it is immutable: nobody can change it, only delete it and make it anew`;
  return { kind: 'failed', reason };
}

function difference(key: string, seen: Known, expected: string | null): string {
  if (seen.kind === 'absent') return `there is no such ConfigMap: ${key} ${printDifference(null, expected)}`;
  if (seen.isBinary) return `${key} is there among its binaryData`;
  return `${key} ${printDifference(seen.value, expected)}`;
}
