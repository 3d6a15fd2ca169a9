import { unknown } from '../answer.ts';
import { binaryExpression, isBinary } from './binary.ts';
import { connectionExpression } from './connection.ts';
import { opaque } from './datatype.ts';
import type { Environment } from './environment.ts';
import type { Expression } from './expression.ts';
import { fibExpression } from './fib.ts';
import { isObject, type JsonObject, listOf, textOf, unwrap } from './json.ts';
import { metaExpression } from './meta.ts';
import { payloadExpression } from './payload.ts';
import { printExpression } from './print-expression.ts';
import { randomExpression } from './random.ts';

/** Never fails: what is not understood is a value that is not known. */
export function readExpression(json: unknown, environment: Environment): Expression {
  const [kind, body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'payload': {
      const header = textOf(fields['protocol']);
      const field = header === undefined ? rawField(fields) : textOf(fields['field']);
      return field === undefined ? obscure(json) : payloadExpression(header ?? 'th', field);
    }
    case 'meta':
      return metaExpression(textOf(isObject(body) ? fields['key'] : body) ?? '', environment);
    case 'ct':
      return connectionExpression(textOf(fields['key']) ?? '', textOf(fields['dir']), environment);
    case 'fib':
      return fibExpression(fields, environment);
    case 'numgen':
    case 'jhash':
    case 'symhash':
      return randomExpression(kind, fields);
    case 'concat':
      return concatenation(listOf(body).map((part) => readExpression(part, environment)));
    default:
      if (kind !== undefined && isBinary(kind)) {
        return binaryExpression(kind, listOf(body), (operand) => readExpression(operand, environment));
      }
      return obscure(json);
  }
}

/** `@th,16,16` is how newer versions list a port where they cannot tell of which protocol. */
function rawField({ base, offset, len }: JsonObject): string | undefined {
  if (base !== 'th' || len !== 16) return undefined;
  return offset === 0 ? 'sport' : offset === 16 ? 'dport' : undefined;
}

function concatenation(parts: readonly Expression[]): Expression {
  return {
    name: parts.map(({ name }) => name).join(' . '),
    types: parts.flatMap(({ types }) => types),
    evaluate: (flight, at) => parts.flatMap((part) => part.evaluate(flight, at)),
  };
}

function obscure(json: unknown): Expression {
  const name = printExpression(json);
  const values = [unknown(`${name} cannot be evaluated`)];
  return { name, types: [opaque], evaluate: () => values };
}
