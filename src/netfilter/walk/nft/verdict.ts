import type { Next } from '../flight.ts';
import { isObject, textOf, unwrap } from './json.ts';

/**
 * `{"jump": {"target": "other"}}`; undefined: it is no verdict. `continue` goes on with the next statement
 * of the rule.
 */
export function readVerdict(json: unknown): Next | undefined {
  const [kind, body] = unwrap(json) ?? [];
  switch (kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'continue':
      return { kind };
    case 'jump':
    case 'goto': {
      const chain = isObject(body) ? textOf(body['target']) : undefined;
      return chain === undefined ? undefined : { kind, chain };
    }
    default:
      return undefined;
  }
}

/** For the path; undefined: not worth a line. */
export function actionOf(next: Next): string | undefined {
  switch (next.kind) {
    case 'jump':
      return `jump to ${next.chain}`;
    case 'goto':
      return `go to ${next.chain}`;
    case 'reject':
      return `reject with ${next.with}`;
    case 'continue':
    case 'translated':
      return undefined;
    default:
      return next.kind;
  }
}
