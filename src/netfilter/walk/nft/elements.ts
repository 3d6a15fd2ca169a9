import type { Doubt } from '../answer.ts';
import { worse } from '../answer.ts';
import { type Datatype, isInSpan, isOneValue, readSpan, type Span } from './datatype.ts';
import { isObject, type JsonObject, listOf } from './json.ts';
import { isOpen, type Scalar, type Value } from './value.ts';

/** The elements of a set or map, ready to be looked up. */
export interface Elements<T> {
  find(values: readonly Value[]): Found<T>;
}

export type Found<T> =
  | { readonly kind: 'one'; readonly data: T; readonly doubt: Doubt | undefined }
  | { readonly kind: 'none' }
  /** One of these, or none of them if `maybeNone`. */
  | {
      readonly kind: 'open';
      readonly choices: readonly T[];
      readonly maybeNone: boolean;
      readonly doubt: Doubt;
    };

interface Element<T> {
  /** One for each part of the key; undefined: any key. */
  readonly spans: readonly Span[] | undefined;
  readonly data: T;
  readonly doubt: Doubt | undefined;
}

export interface ElementReader<T> {
  readonly types: readonly Datatype[];
  /** Undefined: not understood. */
  data(json: unknown): T | undefined;
  readonly isMap: boolean;
  /** For what is not understood. */
  readonly name: string;
}

export function readElements<T>(json: readonly unknown[], reader: ElementReader<T>): Elements<T> {
  const exact = new Map<Scalar, Element<T>>();
  const spans: Element<T>[] = [];
  let any: Element<T> | undefined;
  let obscure: string | undefined;
  for (const one of json) {
    const element = readElement(one, reader);
    if (!element) obscure = `an element of ${reader.name} is not understood: ${JSON.stringify(one)}`;
    else if (!element.spans) any = element;
    else if (element.spans.every(isOneValue)) exact.set(keyOf(element.spans.map(firstOf)), element);
    else spans.push(element);
  }
  const find = spans.length > 8 && reader.types.length === 1 ? searchSorted(spans) : searchAll(spans);
  const all = [...exact.values(), ...spans];
  return {
    find(values) {
      if (values.includes(undefined)) return { kind: 'none' };
      if (values.some(isOpen)) return findOpen(values, all, any, obscure);
      const scalars = values as readonly Scalar[];
      const element = exact.get(keyOf(scalars)) ?? find(scalars) ?? (obscure === undefined ? any : undefined);
      if (element) return { kind: 'one', data: element.data, doubt: element.doubt };
      if (obscure === undefined) return { kind: 'none' };
      return open(any ? [any] : [], !any, { kind: 'unknown', reason: obscure });
    },
  };
}

/** With an element that is not understood nothing is known of what is not found. */
function open<T>(elements: readonly Element<T>[], maybeNone: boolean, doubt: Doubt): Found<T> {
  return { kind: 'open', choices: elements.map(({ data }) => data), maybeNone, doubt };
}

/** Some of the values are not known: every element that agrees with the others may be meant. */
function findOpen<T>(
  values: readonly Value[],
  all: readonly Element<T>[],
  any: Element<T> | undefined,
  obscure: string | undefined,
): Found<T> {
  const possible = all.filter(({ spans }) => spans?.every((span, i) => mayBeIn(span, values[i])));
  if (possible.length === 0 && obscure === undefined) {
    return any ? { kind: 'one', data: any.data, doubt: any.doubt } : { kind: 'none' };
  }
  const doubt = values.filter(isOpen).reduce<Doubt>((sum, value) => worse(sum, value) as Doubt, {
    kind: obscure === undefined ? 'chance' : 'unknown',
    reason: obscure ?? values.find(isOpen)?.reason ?? '',
  });
  const isCovered = values.length === 1 && covers(possible, values[0]);
  return open(any && !isCovered ? [...possible, any] : possible, !any && !isCovered, doubt);
}

function mayBeIn(span: Span, value: Value): boolean {
  if (value === undefined) return false;
  if (!isOpen(value)) return isInSpan(span, value);
  if (value.never !== undefined && isOneValue(span) && span.from === value.never) return false;
  return value.choices?.some((choice) => isInSpan(span, choice)) ?? true;
}

/** Whether each value that it may be is in one of the elements. */
function covers(elements: readonly Element<unknown>[], value: Value): boolean {
  if (value === undefined || !isOpen(value) || !value.choices) return false;
  return value.choices.every((choice) =>
    elements.some(({ spans }) => spans?.[0] && isInSpan(spans[0], choice)),
  );
}

function readElement<T>(json: unknown, reader: ElementReader<T>): Element<T> | undefined {
  const [key, rest] = reader.isMap && Array.isArray(json) ? [json[0], json[1]] : [json, undefined];
  const { value, doubt } = unwrapElement(key, reader.name);
  const data = reader.data(rest);
  if (data === undefined) return undefined;
  const { types } = reader;
  if (value === '*') return { spans: undefined, data, doubt };
  const parts = isObject(value) && 'concat' in value ? listOf(value['concat']) : [value];
  if (parts.length !== types.length) return undefined;
  const spans = parts.flatMap((part, i) => {
    const type = types[i];
    const span = type && readSpan(type, part);
    return span ? [span] : [];
  });
  return spans.length === types.length ? { spans, data, doubt } : undefined;
}

const harmless = new Set(['val', 'timeout', 'expires', 'comment', 'counter']);

/** `{"elem": {"val": KEY, "timeout": 60, "limit": {...}}}`: with a limit of its own chance decides. */
function unwrapElement(json: unknown, name: string): { value: unknown; doubt: Doubt | undefined } {
  if (!isObject(json) || !('elem' in json)) return { value: json, doubt: undefined };
  const body: JsonObject = isObject(json['elem']) ? json['elem'] : {};
  const statement = Object.keys(body).find((field) => !harmless.has(field));
  const doubt: Doubt | undefined =
    statement === undefined ? undefined : { kind: 'chance', reason: `${statement} of an element of ${name}` };
  return { value: body['val'], doubt };
}

function keyOf(values: readonly Scalar[]): Scalar {
  return values.length === 1 ? (values[0] ?? '') : values.map((value) => `${value}`).join('\n');
}

function firstOf(span: Span): Scalar {
  return 'from' in span ? span.from : span.beginning;
}

type Search<T> = (values: readonly Scalar[]) => Element<T> | undefined;

function searchAll<T>(elements: readonly Element<T>[]): Search<T> {
  return (values) =>
    elements.find(({ spans }) =>
      spans?.every((span, i) => {
        const value = values[i];
        return value !== undefined && isInSpan(span, value);
      }),
    );
}

/** Elements of a set of intervals do not overlap. */
function searchSorted<T>(elements: readonly Element<T>[]): Search<T> {
  const sorted = elements
    .flatMap((element) => (element.spans?.[0] ? [{ element, span: element.spans[0] }] : []))
    .sort((a, b) => (firstOf(a.span) < firstOf(b.span) ? -1 : 1));
  return ([value]) => {
    if (value === undefined) return undefined;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const one = sorted[middle];
      if (one && firstOf(one.span) <= value) low = middle + 1;
      else high = middle;
    }
    const before = sorted[low - 1];
    return before && isInSpan(before.span, value) ? before.element : undefined;
  };
}
