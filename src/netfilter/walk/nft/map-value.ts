import type { Doubt } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import { type Datatype, readSpan, type Span } from './datatype.ts';
import type { Environment } from './environment.ts';
import { isObject, listOf } from './json.ts';
import { readExpression } from './read-expression.ts';
import { findSet, readMap } from './set-content.ts';
import { isOpen } from './value.ts';

/** What a rule writes into a packet; without spans it ends there, a map has nothing for the packet. */
export interface Written {
  /** One for each part: an address, a port. */
  readonly spans: readonly Span[] | undefined;
  readonly doubt?: Doubt;
}

/** All that it may write. Undefined: it cannot be told. */
export type Writer = (flight: Flight, at: Place) => readonly Written[] | undefined;

/**
 * A value, a list of choices, an expression, or what a map has for the packet. `types` are those of its
 * parts; fewer may be there.
 */
export function readWriter(json: unknown, types: readonly Datatype[], environment: Environment): Writer {
  const spans = readSpans(json, types);
  if (spans) {
    const written = [{ spans }];
    return () => written;
  }
  const map = isObject(json) && isObject(json['map']) ? json['map'] : undefined;
  if (map) return readMapWriter(map['key'], map['data'], types, environment);
  const expression = readExpression(json, environment);
  return (flight, at) => {
    const [value] = expression.evaluate(flight, at);
    if (value === undefined) return nothing;
    if (!isOpen(value)) return [{ spans: [{ from: value, to: value }] }];
    return value.choices?.map((choice) => ({ spans: [{ from: choice, to: choice }], doubt: value }));
  };
}

const nothing: readonly Written[] = [{ spans: undefined }];

function readMapWriter(
  key: unknown,
  data: unknown,
  types: readonly Datatype[],
  environment: Environment,
): Writer {
  const left = readExpression(key, environment);
  const set = findSet(data, environment);
  const map = set && readMap(set, left.types, environment, (json) => readSpans(json, types));
  if (!map) return () => undefined;
  return (flight, at) => {
    const found = map.find(left.evaluate(flight, at));
    if (found.kind === 'none') return nothing;
    if (found.kind === 'one' && !found.doubt) return [{ spans: found.data }];
    const choices = found.kind === 'one' ? [found.data] : found.choices;
    const doubt = found.doubt && { doubt: found.doubt };
    const written: readonly Written[] = choices.map((spans) => ({ spans, ...doubt }));
    return found.kind === 'one' || found.maybeNone ? [...written, { spans: undefined, ...doubt }] : written;
  };
}

function readSpans(json: unknown, types: readonly Datatype[]): readonly Span[] | undefined {
  const parts = isObject(json) && 'concat' in json ? listOf(json['concat']) : [json];
  const spans = parts.map((part, i) => {
    const type = types[i];
    return type && readSpan(type, part);
  });
  return spans.every((span) => span !== undefined) ? spans : undefined;
}
