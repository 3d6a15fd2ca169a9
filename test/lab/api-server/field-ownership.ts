/**
 * Who set which field of an object, as the API server keeps it in `metadata.managedFields`. Simpler than
 * the real one in this: a list is one field, whatever is in it.
 */
import { isDeepStrictEqual } from 'node:util';
import { isRecord, type KubeObject, type ManagedFields, toObject } from './resource.ts';

export type Applied =
  | { readonly kind: 'applied'; readonly object: KubeObject }
  /** Fields of others that would be changed. */
  | { readonly kind: 'conflict'; readonly conflicts: readonly Conflict[] };

interface Conflict {
  readonly manager: string;
  readonly apiVersion: string;
  /** `.data.Corefile` */
  readonly field: string;
}

/** Server-side apply: what `config` says becomes so, and what this manager said before and no longer says goes. */
export function applyFields(
  old: KubeObject | undefined,
  config: KubeObject,
  { manager, force }: { readonly manager: string; readonly force: boolean },
): Applied {
  const wanted = fieldsOf(config);
  const owners = ownersOf(old);
  const isOwn = (owner: Owner) => owner.manager === manager && owner.operation === 'Apply';
  const current = new Map(old === undefined ? [] : fieldsOf(old));
  const disputed = owners
    .filter((owner) => !isOwn(owner))
    .flatMap((owner) =>
      [...wanted].flatMap(([field, value]) =>
        owner.fields.has(field) && !isDeepStrictEqual(current.get(field), value) ? [{ owner, field }] : [],
      ),
    );
  if (disputed.length > 0 && !force) {
    const conflicts = disputed.map(({ owner, field }) => ({
      manager: owner.manager,
      apiVersion: owner.apiVersion,
      field: keysOf(field)
        .map((key) => `.${key}`)
        .join(''),
    }));
    return { kind: 'conflict', conflicts };
  }
  const others = owners
    .filter((owner) => !isOwn(owner))
    .map((owner) => ({
      ...owner,
      fields: new Set(
        [...owner.fields].filter(
          (field) => !disputed.some((each) => each.owner === owner && each.field === field),
        ),
      ),
    }));
  const isOfOthers = (field: string) => others.some(({ fields }) => fields.has(field));
  const given = owners.find(isOwn)?.fields ?? new Set<string>();
  const gone = [...given].filter((field) => !wanted.has(field) && !isOfOthers(field));
  let object = old === undefined ? config : merge(old, config);
  for (const field of gone) object = without(object, keysOf(field));
  const own: Owner = {
    manager,
    operation: 'Apply',
    apiVersion: config.apiVersion,
    fields: new Set(wanted.keys()),
  };
  return { kind: 'applied', object: withOwners(toObject(object), [...others, own]) };
}

/** An object after a patch or a replacement: who made it owns the fields that it changed. */
export function updateFields(old: KubeObject | undefined, next: KubeObject, manager: string): KubeObject {
  const before = old === undefined ? new Map<string, unknown>() : fieldsOf(old);
  const after = fieldsOf(next);
  const changed = new Set(
    [...after]
      .filter(([field, value]) => !before.has(field) || !isDeepStrictEqual(before.get(field), value))
      .map(([field]) => field),
  );
  const owners = ownersOf(old).map((owner) => ({
    ...owner,
    fields: new Set([...owner.fields].filter((field) => after.has(field) && !changed.has(field))),
  }));
  if (changed.size === 0) return withOwners(next, owners);
  const isOwn = (owner: Owner) => owner.manager === manager && owner.operation === 'Update';
  const known = owners.find(isOwn)?.fields ?? [];
  const own: Owner = {
    manager,
    operation: 'Update',
    apiVersion: next.apiVersion,
    fields: new Set([...known, ...changed]),
  };
  return withOwners(next, [...owners.filter((owner) => !isOwn(owner)), own]);
}

interface Owner {
  readonly manager: string;
  readonly operation: ManagedFields['operation'];
  readonly apiVersion: string;
  /** Ways to fields, as `printKeys` writes them. */
  readonly fields: ReadonlySet<string>;
}

/** What was there before anybody was asked belongs to `before-first-apply`, as with the real one. */
function ownersOf(object: KubeObject | undefined): readonly Owner[] {
  if (object === undefined) return [];
  const managed = object.metadata.managedFields;
  if (managed === undefined || managed.length === 0) {
    const fields = new Set(fieldsOf(object).keys());
    return [{ manager: 'before-first-apply', operation: 'Update', apiVersion: object.apiVersion, fields }];
  }
  return managed.map(({ manager, operation, apiVersion, fieldsV1 }) => ({
    manager,
    operation,
    apiVersion,
    fields: new Set(readFields(fieldsV1, [])),
  }));
}

function withOwners(object: KubeObject, owners: readonly Owner[]): KubeObject {
  const managedFields = owners
    .filter(({ fields }) => fields.size > 0)
    .map(({ fields, ...owner }) => ({
      ...owner,
      fieldsType: 'FieldsV1' as const,
      fieldsV1: printFields(fields),
    }));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

const identity = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]);

/** Every field that somebody can own, with its value. */
function fieldsOf(object: KubeObject): Map<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const owned = Object.fromEntries(Object.entries(metadata).filter(([key]) => !identity.has(key)));
  return new Map([...leaves({ metadata: owned, ...rest }, [])]);
}

function* leaves(value: unknown, keys: readonly string[]): Generator<[string, unknown]> {
  if (!isRecord(value)) yield [printKeys(keys), value];
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...keys, key]);
}

function printKeys(keys: readonly string[]): string {
  return JSON.stringify(keys);
}

function keysOf(field: string): readonly string[] {
  const keys: unknown = JSON.parse(field);
  return Array.isArray(keys) ? keys.map(String) : [];
}

/** `{"f:data": {"f:KEY": {}}}` */
function printFields(fields: ReadonlySet<string>): unknown {
  const root: Record<string, unknown> = {};
  for (const field of fields) {
    let at = root;
    for (const key of keysOf(field)) {
      const inner: Record<string, unknown> = {};
      const known = at[`f:${key}`];
      const next = isRecord(known) ? { ...known } : inner;
      at[`f:${key}`] = next;
      at = next;
    }
  }
  return root;
}

function* readFields(fieldsV1: unknown, keys: readonly string[]): Generator<string> {
  const inner = isRecord(fieldsV1) ? Object.entries(fieldsV1).filter(([key]) => key.startsWith('f:')) : [];
  if (inner.length === 0 && keys.length > 0) yield printKeys(keys);
  for (const [key, value] of inner) yield* readFields(value, [...keys, key.slice(2)]);
}

function merge(old: unknown, config: unknown): unknown {
  if (!isRecord(old) || !isRecord(config)) return config;
  const merged = Object.entries(config).map(([key, value]) => [key, merge(old[key], value)]);
  return { ...old, ...Object.fromEntries(merged) };
}

function without(object: unknown, [key = '', ...rest]: readonly string[]): unknown {
  if (!isRecord(object) || !(key in object)) return object;
  if (rest.length > 0) return { ...object, [key]: without(object[key], rest) };
  const { [key]: _gone, ...left } = object;
  return left;
}
