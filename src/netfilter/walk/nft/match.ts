import { type Answer, unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import { type Datatype, isInSpan, readSpan, type Span } from './datatype.ts';
import type { Elements } from './elements.ts';
import type { Environment } from './environment.ts';
import type { Expression } from './expression.ts';
import type { JsonObject } from './json.ts';
import { readExpression } from './read-expression.ts';
import { findSet, readSet } from './set-content.ts';
import { isOpen, type Open, type Scalar } from './value.ts';

/** Whether a flight matches; false too where it has not got what is asked for. */
export type Test = (flight: Flight, at: Place) => Answer;

/** `{"match": {op, left, right}}`. */
export function readMatch(fields: JsonObject, environment: Environment): Test {
  const left = readExpression(fields['left'], environment);
  const op = String(fields['op'] ?? '==');
  const right = fields['right'];
  const set = findSet(right, environment);
  if (set) return testMembership(left, readSet(set, left.types, environment), op === '!=');
  if (typeof right === 'boolean') return testOne(left, (value) => (value !== '' && value !== 0) === right);
  const [type] = left.types;
  if (type && left.types.length === 1) return testOne(left, ...readTest(op, type, right));
  // A single value for several parts is a set of one.
  return testMembership(
    left,
    readSet({ name: 'a value', json: [right] }, left.types, environment),
    op === '!=',
  );
}

function testMembership(left: Expression, elements: Elements<unknown> | undefined, negated: boolean): Test {
  if (!elements) {
    const doubt = unknown(`${left.name} is looked up in a set that is not listed`);
    return () => doubt;
  }
  return (flight, at) => {
    const values = left.evaluate(flight, at);
    if (values.includes(undefined)) return false;
    const found = elements.find(values);
    if (found.kind === 'none') return negated;
    if (found.kind === 'one') return found.doubt ?? !negated;
    return found.maybeNone || found.choices.length === 0 ? found.doubt : !negated;
  };
}

type Ask = (value: Scalar) => boolean;
/** What is known of a value that is open. */
type AskOpen = (value: Open) => Answer;

function testOne(left: Expression, ask: Ask | undefined, askOpen?: AskOpen): Test {
  if (!ask) {
    const doubt = unknown(`what ${left.name} is compared with is not understood`);
    return (flight, at) => (left.evaluate(flight, at)[0] === undefined ? false : doubt);
  }
  return (flight, at) => {
    const [value] = left.evaluate(flight, at);
    if (value === undefined) return false;
    if (!isOpen(value)) return ask(value);
    if (value.choices) return agreed(value.choices.map(ask), value);
    return askOpen?.(value) ?? value;
  };
}

function agreed(answers: readonly boolean[], doubt: Open): Answer {
  const [first] = answers;
  return first !== undefined && answers.every((each) => each === first) ? first : doubt;
}

function readTest(op: string, type: Datatype, right: unknown): [Ask | undefined, AskOpen?] {
  if (type.isBits && (op === 'in' || op === '!')) return readBitsTest(op === 'in', type, right);
  const span = readSpan(type, right);
  if (!span) return [undefined];
  switch (op) {
    case '==':
    case 'in':
      return [(value) => isInSpan(span, value), (open) => (isNever(open, span) ? false : open)];
    case '!=':
      return [(value) => !isInSpan(span, value), (open) => (isNever(open, span) ? true : open)];
    default:
      return [readOrder(op, span)];
  }
}

function isNever(open: Open, span: Span): boolean {
  return 'from' in span && span.from === span.to && span.from === open.never;
}

function readOrder(op: string, span: Span): Ask | undefined {
  if (!('from' in span) || span.from !== span.to) return undefined;
  const { from } = span;
  switch (op) {
    case '<':
      return (value) => value < from;
    case '>':
      return (value) => value > from;
    case '<=':
      return (value) => value <= from;
    case '>=':
      return (value) => value >= from;
    default:
      return undefined;
  }
}

/** Any of the bits, or none of them. */
function readBitsTest(any: boolean, type: Datatype, right: unknown): [Ask | undefined, AskOpen?] {
  const wanted = type.scalar(right);
  if (typeof wanted !== 'number') return [undefined];
  const isAny = (bits: number) => (bits & wanted) !== 0;
  return [
    (value) => isAny(Number(value)) === any,
    (open) => {
      if (!open.known) return open;
      const { mask, bits } = open.known;
      if (isAny(bits & mask)) return any;
      return (wanted & ~mask) === 0 ? !any : open;
    },
  ];
}
