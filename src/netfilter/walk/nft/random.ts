import { chance } from '../answer.ts';
import { numberType } from './datatype.ts';
import type { Expression } from './expression.ts';
import type { JsonObject } from './json.ts';
import type { Open } from './value.ts';

const most = 4096;

/** Numbers that nobody can foresee: at random, in turn, or by a hash whose seed is secret. */
export function randomExpression(kind: 'numgen' | 'jhash' | 'symhash', fields: JsonObject): Expression {
  const { mod, offset } = fields;
  const name = kind === 'numgen' ? `numgen ${fields['mode']} mod ${mod}` : `${kind} mod ${mod}`;
  const first = typeof offset === 'number' ? offset : 0;
  const choices =
    typeof mod === 'number' && mod <= most ? Array.from({ length: mod }, (_, i) => first + i) : undefined;
  const value: Open = { ...chance(name), ...(choices && { choices }) };
  return { name, types: [numberType()], evaluate: () => [value] };
}
