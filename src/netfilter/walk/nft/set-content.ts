import type { Datatype } from './datatype.ts';
import { type Elements, readElements } from './elements.ts';
import type { Environment } from './environment.ts';
import { isObject, listOf, textOf } from './json.ts';

interface SetContent {
  readonly name: string;
  /** Undefined: there is no such set. */
  readonly json: readonly unknown[] | undefined;
}

/** Of an anonymous set or map, or of `@name`; undefined: it is neither. */
export function findSet(json: unknown, { table }: Environment): SetContent | undefined {
  if (isObject(json) && 'set' in json) return { name: 'the set', json: listOf(json['set']) };
  const name = textOf(json);
  if (!name?.startsWith('@')) return undefined;
  return { name: `set ${name.slice(1)}`, json: table.sets.get(name.slice(1))?.elements };
}

/** Undefined: there is no such set. Each is read once in a table. */
export function readSet(
  { name, json }: SetContent,
  types: readonly Datatype[],
  environment: Environment,
): Elements<unknown> | undefined {
  return (
    json &&
    once(json, environment.sets, () => readElements(json, { types, isMap: false, name, data: () => true }))
  );
}

/** Maps hold what `data` makes of their elements; one map is always read alike. */
export function readMap<T>(
  { name, json }: SetContent,
  types: readonly Datatype[],
  environment: Environment,
  data: (json: unknown) => T | undefined,
): Elements<T> | undefined {
  return (
    json &&
    (once(json, environment.maps, () =>
      readElements(json, { types, isMap: true, name, data }),
    ) as Elements<T>)
  );
}

function once(
  json: readonly unknown[],
  made: Map<readonly unknown[], Elements<unknown>>,
  read: () => Elements<unknown>,
): Elements<unknown> {
  const before = made.get(json);
  if (before) return before;
  const elements = read();
  made.set(json, elements);
  return elements;
}
