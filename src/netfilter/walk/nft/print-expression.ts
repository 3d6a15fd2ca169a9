import { isObject, listOf, unwrap } from './json.ts';

/** An expression or value as nft prints it; what it does not know stays JSON. */
export function printExpression(json: unknown): string {
  if (typeof json === 'string') return json;
  if (typeof json === 'number') return `${json}`;
  if (typeof json === 'boolean') return json ? 'exists' : 'missing';
  if (Array.isArray(json)) return json.map(printExpression).join(',');
  const [kind, body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'payload':
      if ('base' in fields) return `@${fields['base']},${fields['offset']},${fields['len']}`;
      return `${fields['protocol']} ${fields['field']}`;
    case 'meta':
      return printMeta(String(fields['key']));
    case 'ct':
      return ['ct', fields['dir'], fields['key']].filter((word) => word !== undefined).join(' ');
    case 'fib':
      return `fib ${listOf(fields['flags']).join(' . ')} ${fields['result']}`;
    case 'prefix':
      return `${fields['addr']}/${fields['len']}`;
    case 'range':
      return listOf(body).map(printExpression).join('-');
    case 'set':
      return `{ ${listOf(body).map(printElement).join(', ')} }`;
    case 'concat':
      return listOf(body).map(printExpression).join(' . ');
    case 'elem':
      return printExpression(fields['val']);
    case 'map':
      return `${printExpression(fields['key'])} map ${printExpression(fields['data'])}`;
    case 'numgen':
      return `numgen ${fields['mode']} mod ${fields['mod']}${printOffset(fields['offset'])}`;
    case 'jhash':
      return `jhash ${printExpression(fields['expr'])} mod ${fields['mod']}${printOffset(fields['offset'])}`;
    case 'symhash':
      return `symhash mod ${fields['mod']}${printOffset(fields['offset'])}`;
    case '&':
    case '|':
    case '^':
    case '<<':
    case '>>':
      return listOf(body).map(printExpression).join(` ${kind} `);
    case 'rt':
    case 'socket':
    case 'osf':
      return `${kind} ${fields['key']}`;
    case 'exthdr':
    case 'tcp option':
    case 'ip option':
      return [kind === 'exthdr' ? undefined : kind, fields['name'], fields['field']]
        .filter((word) => word !== undefined)
        .join(' ');
    case 'accept':
    case 'drop':
    case 'return':
    case 'continue':
      return kind;
    case 'jump':
    case 'goto':
      return `${kind} ${fields['target']}`;
    default:
      return JSON.stringify(json) ?? '';
  }
}

const unqualified = new Set([
  'iif',
  'oif',
  'iifname',
  'oifname',
  'iiftype',
  'oiftype',
  'iifgroup',
  'oifgroup',
]);

function printMeta(key: string): string {
  return unqualified.has(key) ? key : `meta ${key}`;
}

function printOffset(offset: unknown): string {
  return offset === undefined || offset === 0 ? '' : ` offset ${offset}`;
}

function printElement(json: unknown): string {
  return Array.isArray(json)
    ? `${printExpression(json[0])} : ${printExpression(json[1])}`
    : printExpression(json);
}
