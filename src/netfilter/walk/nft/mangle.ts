import type { Flight, Place } from '../flight.ts';
import { isTracked } from './connection.ts';
import { numberType } from './datatype.ts';
import type { Environment } from './environment.ts';
import { isObject, type JsonObject, unwrap } from './json.ts';
import { readWriter, type Written } from './map-value.ts';
import { printExpression } from './print-expression.ts';
import { anything, type Outcome, type Step } from './step.ts';

/** `meta mark set ...`, `ct mark set ...`; a rewritten header is not followed. */
export function readMangle({ key, value }: JsonObject, environment: Environment): readonly Step[] {
  const [kind, body] = unwrap(key) ?? [];
  const name = printExpression(key);
  const field = isObject(body) ? body['key'] : undefined;
  if (kind === 'meta' && field === 'mark') return [readMark(name, value, environment, setMark)];
  if (kind === 'ct' && field === 'mark') return [readMark(name, value, environment, setConnectionMark)];
  if (kind === 'meta' || kind === 'ct') return changesLittle.has(String(field)) ? [] : [rewritten(name)];
  const header = isObject(body) ? `${body['protocol']} ${body['field']}` : '';
  return kind === 'tcp option' || harmlessFields.has(header) ? [] : [rewritten(name)];
}

const changesLittle = new Set([
  'nftrace',
  'priority',
  'secmark',
  'label',
  'event',
  'helper',
  'zone',
  'broute',
]);
const harmlessFields = new Set([
  'ip ttl',
  'ip dscp',
  'ip ecn',
  'ip id',
  'ip6 hoplimit',
  'ip6 dscp',
  'ip6 ecn',
]);

function rewritten(name: string): Step {
  return anything(`${name} is rewritten, which is not followed`);
}

type SetMark = (flight: Flight, at: Place, mark: number) => Flight;

function readMark(name: string, value: unknown, environment: Environment, set: SetMark): Step {
  const write = readWriter(value, [numberType()], environment);
  const unclear = anything(`what ${name} is set to is not known`);
  return {
    act(flight, at) {
      const written = write(flight, at);
      if (!written) return unclear.act(flight, at);
      return written.map((one) => outcome(flight, at, one));
    },
  };

  function outcome(flight: Flight, at: Place, { spans, doubt }: Written): Outcome {
    if (!spans) return { flight, next: { kind: 'continue' }, ...(doubt && { doubt }) };
    const [span] = spans;
    const mark = span && 'from' in span && typeof span.from === 'number' ? span.from >>> 0 : 0;
    const after = set(flight, at, mark);
    const word = set === setMark ? 'mark' : 'connection mark';
    return {
      flight: after,
      next: { kind: 'on' },
      ...(doubt && { doubt }),
      ...(after !== flight && { action: `${word} 0x${mark.toString(16)}` }),
    };
  }
}

function setMark(flight: Flight, _at: Place, mark: number): Flight {
  return flight.mark === mark ? flight : { ...flight, mark };
}

function setConnectionMark(flight: Flight, at: Place, mark: number): Flight {
  if (!isTracked(flight, at) || flight.connectionMark === mark) return flight;
  return { ...flight, connectionMark: mark };
}
