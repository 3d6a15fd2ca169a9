import type { Flight, Place } from '../flight.ts';
import type { Datatype } from './datatype.ts';
import type { Expression } from './expression.ts';
import { isObject } from './json.ts';
import { isOpen, type Scalar, type Value } from './value.ts';

const operators = ['&', '|', '^', '<<', '>>'] as const;
type Operator = (typeof operators)[number];

export function isBinary(name: string): name is Operator {
  return operators.some((operator) => operator === name);
}

/** `meta mark & 0xff`; newer versions of nft list more than two operands in one. */
export function binaryExpression(
  operator: Operator,
  json: readonly unknown[],
  read: (json: unknown) => Expression,
): Expression {
  const first = read(json[0]);
  const [type] = first.types;
  const others = json.slice(1).map((operand) => readOperand(operand, type, read));
  const printed = others.map(({ name }) => name);
  return {
    name: [first.name, ...printed].join(` ${operator} `),
    types: first.types.slice(0, 1),
    evaluate(flight, at) {
      let [value] = first.evaluate(flight, at);
      for (const other of others) value = combine(operator, value, other.evaluate(flight, at));
      return [value];
    },
  };
}

interface Operand {
  readonly name: string;
  evaluate(flight: Flight, at: Place): Value;
}

/** Another expression, or a value as the first operand has them. */
function readOperand(
  json: unknown,
  type: Datatype | undefined,
  read: (json: unknown) => Expression,
): Operand {
  const value = type?.scalar(json);
  if (value !== undefined) return { name: JSON.stringify(json), evaluate: () => value };
  if (typeof json === 'number') return { name: `${json}`, evaluate: () => json };
  const expression = read(isObject(json) ? json : undefined);
  return { name: expression.name, evaluate: (flight, at) => expression.evaluate(flight, at)[0] };
}

function combine(operator: Operator, a: Value, b: Value): Value {
  if (a === undefined || b === undefined) return undefined;
  if (isOpen(a) || isOpen(b)) return combineOpen(operator, a, b);
  if (typeof a === 'string' && typeof b === 'string') return combineBytes(operator, a, b);
  return typeof a === 'number' && typeof b === 'number' ? combineNumbers(operator, a, b) : undefined;
}

function combineOpen(operator: Operator, a: Exclude<Value, undefined>, b: Exclude<Value, undefined>): Value {
  const [open, other] = isOpen(a) ? [a, b] : [b, a];
  if (!isOpen(open)) return undefined;
  const doubt = { kind: open.kind, reason: open.reason };
  if (isOpen(other)) return doubt;
  if (operator === '&' && open.known && typeof other === 'number') {
    const { mask, bits } = open.known;
    // Only bits that are known are left.
    return (other & ~mask) === 0 ? (bits & other) >>> 0 : doubt;
  }
  if (!open.choices || !isOpen(a)) return doubt;
  const choices = open.choices.flatMap((choice) => {
    const combined = combine(operator, choice, other);
    return combined === undefined || isOpen(combined) ? [] : [combined];
  });
  return { ...doubt, choices };
}

function combineNumbers(operator: Operator, a: number, b: number): Scalar {
  switch (operator) {
    case '&':
      return (a & b) >>> 0;
    case '|':
      return (a | b) >>> 0;
    case '^':
      return (a ^ b) >>> 0;
    case '<<':
      return (a << b) >>> 0;
    case '>>':
      return a >>> b;
  }
}

function combineBytes(operator: Operator, a: string, b: string): Value {
  if (operator === '<<' || operator === '>>' || a.length !== b.length) {
    return { kind: 'unknown', reason: 'this arithmetic of addresses is not understood' };
  }
  const bytes = Array.from(a, (char, i) =>
    Number(combineNumbers(operator, char.charCodeAt(0), b.charCodeAt(i))),
  );
  return String.fromCharCode(...bytes.map((byte) => byte & 0xff));
}
