import { isObject, type JsonObject, listOf, unwrap } from './json.ts';

/** How values are printed: names of links in quotes, marks in hexadecimal. */
export type Style = 'plain' | 'name' | 'mark';

/** An expression or value about as nft prints it; what is not known stays JSON. */
export function printExpression(json: unknown, style: Style = 'plain'): string {
  if (typeof json === 'string') return style === 'name' && !/^(@|\d+$)/.test(json) ? `"${json}"` : json;
  if (typeof json === 'number') return style === 'mark' ? hexadecimal(json) : `${json}`;
  if (typeof json === 'boolean') return json ? 'exists' : 'missing';
  if (Array.isArray(json)) return json.map((each) => printExpression(each, style)).join(',');
  const [kind = '', body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'payload':
      if ('base' in fields) return `@${fields['base']},${fields['offset']},${fields['len']}`;
      return `${fields['protocol']} ${fields['field']}`;
    case 'meta':
      return printMeta(String(fields['key'] ?? body));
    case 'ct':
      return words('ct', fields['dir'], fields['key']);
    case 'fib':
      return `fib ${listOf(fields['flags']).join(' . ')} ${fields['result']}`;
    case 'prefix':
      return `${fields['addr']}/${fields['len']}`;
    case 'range':
      return listOf(body)
        .map((end) => printExpression(end, style))
        .join('-');
    case 'set':
      return `{ ${listOf(body)
        .map((element) => printElement(element, style))
        .join(', ')} }`;
    case 'concat':
      return listOf(body)
        .map((part) => printExpression(part))
        .join(' . ');
    case 'elem':
      return printExpression(fields['val'], style);
    case 'map':
      return `${printExpression(fields['key'])} map ${printMapData(fields, style)}`;
    case 'numgen':
    case 'jhash':
    case 'symhash':
      return printRandom(kind, fields);
    case '&':
    case '|':
    case '^':
    case '<<':
    case '>>':
      return printBinary(kind, listOf(body));
    case 'rt':
    case 'socket':
    case 'osf':
      return `${kind} ${fields['key']}`;
    case 'exthdr':
      return words(fields['name'], fields['field']);
    case 'tcp option':
    case 'ip option':
      return words(kind, fields['name'], fields['field']);
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

/** In which style the values that are compared with an expression are printed. */
export function styleOf(json: unknown): Style {
  const [kind, body] = unwrap(json) ?? [];
  if (kind === '&' || kind === '|' || kind === '^') return styleOf(listOf(body)[0]);
  const key = isObject(body) ? body['key'] : undefined;
  if (key === 'mark' && (kind === 'meta' || kind === 'ct' || kind === 'socket')) return 'mark';
  const isLink = kind === 'meta' && typeof key === 'string' && /^[io]if(name|group|kind)?$/.test(key);
  return isLink || (kind === 'fib' && isObject(body) && body['result'] !== 'type') ? 'name' : 'plain';
}

function words(...list: readonly unknown[]): string {
  return list.filter((word) => word !== undefined).join(' ');
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function printMeta(key: string): string {
  return /^[io]if(name|group)?$/.test(key) ? key : `meta ${key}`;
}

function printBinary(operator: string, operands: readonly unknown[]): string {
  const style = operator === '<<' || operator === '>>' ? 'plain' : styleOf(operands[0]);
  return operands.map((operand) => printExpression(operand, style)).join(` ${operator} `);
}

function printRandom(kind: string, { mode, mod, expr, seed, offset }: JsonObject): string {
  return words(
    kind,
    mode,
    expr === undefined ? undefined : printExpression(expr),
    `mod ${mod}`,
    typeof seed === 'number' ? `seed 0x${seed.toString(16)}` : undefined,
    offset === undefined || offset === 0 ? undefined : `offset ${offset}`,
  );
}

function printElement(json: unknown, style: Style): string {
  return Array.isArray(json)
    ? `${printExpression(json[0], style)} : ${printExpression(json[1])}`
    : printExpression(json, style);
}

/** Keys in the style of what is looked up, values in the style of what they are for. */
export function printMapData({ key, data }: JsonObject, style: Style = 'plain'): string {
  if (!isObject(data) || !('set' in data)) return printExpression(data);
  const elements = listOf(data['set']).map((element) => {
    const [from, to] = listOf(element);
    return `${printExpression(from, styleOf(key))} : ${printExpression(to, style)}`;
  });
  return `{ ${elements.join(', ')} }`;
}
