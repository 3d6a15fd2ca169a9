import { chance } from '../answer.ts';
import type { Next } from '../flight.ts';
import type { Environment } from './environment.ts';
import { isObject, type JsonObject, unwrap } from './json.ts';
import { readMangle } from './mangle.ts';
import { readMatch } from './match.ts';
import { readNat } from './nat.ts';
import { printExpression } from './print-expression.ts';
import { printStatement } from './print-statement.ts';
import { readExpression } from './read-expression.ts';
import { readReject } from './reject.ts';
import { findSet, readMap } from './set-content.ts';
import { anything, type Outcome, type Step } from './step.ts';
import { actionOf, readVerdict } from './verdict.ts';

/** The statements of a rule, in order; none where all of them together have no effect on packets. */
export function readStatements(expressions: readonly unknown[], environment: Environment): readonly Step[] {
  const steps = expressions.flatMap((json) => readStatement(json, environment));
  const last = steps.findLastIndex((step) => 'act' in step);
  return steps.slice(0, last + 1);
}

function readStatement(json: unknown, environment: Environment): readonly Step[] {
  const verdict = readVerdict(json);
  if (verdict) return [verdictStep(verdict)];
  const [kind, body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'match':
      return [{ test: readMatch(fields, environment) }];
    case 'vmap':
      return [readVerdictMap(fields, environment)];
    case 'reject':
      return readReject(fields, environment);
    case 'mangle':
      return readMangle(fields, environment);
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
      return readNat(kind, fields, environment);
    case 'notrack':
      return [notrack];
    case 'limit':
    case 'quota':
    case 'ct count':
    case 'connlimit':
    case 'meter':
      return [maybe(printStatement(json))];
    case 'set':
    case 'map':
      return readSetStatement(fields, environment);
    case 'queue':
      return [queue];
    case 'xt':
      return [anything(printStatement(json))];
    default:
      if (kind !== undefined && harmless.has(kind)) return [];
      return [anything(`${printStatement(json)} is not understood`)];
  }
}

/** They count, write down, or change what no rule looks at. What is copied by `dup` goes on as it was. */
const harmless = new Set([
  'counter',
  'log',
  'last',
  'comment',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'reset',
  'dup',
  // Only packets of connections that went through here before take the short way.
  'flow',
]);

function verdictStep(next: Next): Step {
  const action = actionOf(next);
  const rest = action === undefined ? {} : { action };
  return { act: (flight) => [{ flight, next: onwards(next), ...rest }] };
}

function onwards(next: Next): Outcome['next'] {
  return next.kind === 'continue' ? { kind: 'on' } : next;
}

function maybe(reason: string): Step {
  const answer = chance(reason);
  return { test: () => answer };
}

/** Only where conntrack has not looked yet. */
const notrack: Step = {
  act(flight, { tracked }) {
    if (tracked || flight.packet.state === 'UNTRACKED') return [{ flight, next: { kind: 'on' } }];
    const packet = { ...flight.packet, state: 'UNTRACKED' } as const;
    return [{ flight: { ...flight, packet }, next: { kind: 'on' }, action: 'notrack' }];
  },
};

const queue: Step = {
  act: (flight) =>
    (['accept', 'drop'] as const).map((kind) => ({
      flight,
      next: { kind },
      doubt: { kind: 'unknown', reason: 'a program decides (queue)' },
    })),
};

function readVerdictMap(fields: JsonObject, environment: Environment): Step {
  const key = readExpression(fields['key'], environment);
  const set = findSet(fields['data'], environment);
  const map = set && readMap(set, key.types, environment, readVerdict);
  if (!map) return anything(`${printExpression(fields['data'])} is no map that is listed`);
  return {
    act(flight, at) {
      const found = map.find(key.evaluate(flight, at));
      if (found.kind === 'none') return [{ flight, next: { kind: 'continue' } }];
      if (found.kind === 'one' && !found.doubt) return [outcomeOf(found.data, {})];
      const choices = found.kind === 'one' ? [found.data] : found.choices;
      const isMaybeNone = found.kind === 'one' || found.maybeNone;
      const doubt = found.doubt && { doubt: found.doubt };
      const outcomes = choices.map((next) => outcomeOf(next, doubt ?? {}));
      const none: Outcome = { flight, next: { kind: 'continue' }, ...doubt };
      return isMaybeNone ? [...outcomes, none] : outcomes;

      function outcomeOf(next: Next, rest: Pick<Outcome, 'doubt'>): Outcome {
        const action = actionOf(next);
        return { flight, next: onwards(next), ...rest, ...(action !== undefined && { action }) };
      }
    },
  };
}

/**
 * `add @seen { ip saddr limit rate 5/second }`: the rule goes on if the limit lets it. Without such a
 * statement it goes on, unless the set is full.
 */
function readSetStatement(fields: JsonObject, environment: Environment): readonly Step[] {
  const statements = Array.isArray(fields['stmt']) ? fields['stmt'] : [];
  const elem = fields['elem'];
  const key = isObject(elem) && isObject(elem['elem']) ? elem['elem']['val'] : elem;
  const left = readExpression(key, environment);
  // A packet that has no such thing ends the rule.
  const hasKey: Step = { test: (flight, at) => !left.evaluate(flight, at).includes(undefined) };
  const deciding = statements.filter((each) => !harmless.has(unwrap(each)?.[0] ?? ''));
  return [hasKey, ...deciding.map((each) => maybe(printStatement(each)))];
}
