import { isObject, type JsonObject, listOf, unwrap } from './json.ts';
import { printExpression, printMapData, styleOf } from './print-expression.ts';

/** A rule in one line, about as nft prints it, without what its counters say. */
export function printNftRule(expressions: readonly unknown[], comment: string | undefined): string {
  const statements = expressions.map(printStatement);
  if (comment !== undefined) statements.push(`comment "${comment}"`);
  return statements.join(' ');
}

export function printStatement(json: unknown): string {
  const [kind, body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'match':
      return printMatch(fields);
    case 'vmap':
      return `${printExpression(fields['key'])} vmap ${printMapData(fields)}`;
    case 'counter':
      return typeof body === 'string' ? `counter name "${body}"` : kind;
    case 'notrack':
      return kind;
    case 'reject':
      return printReject(fields);
    case 'mangle':
      return `${printExpression(fields['key'])} set ${printExpression(fields['value'], styleOf(fields['key']))}`;
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
      return printNat(kind, fields);
    case 'limit':
    case 'quota':
    case 'ct count':
      return typeof body === 'string' ? `${kind} name "${body}"` : printAmount(kind, fields);
    case 'log':
      return printLog(fields);
    case 'set':
      return printSetStatement(fields);
    case 'xt':
      return ['xt', fields['type'], fields['name']].filter((word) => word !== undefined).join(' ');
    default:
      return printExpression(json);
  }
}

function printMatch({ op, left, right }: JsonObject): string {
  const style = styleOf(left);
  const [outer] = unwrap(left) ?? [];
  const isBare = op === 'in' || (op === '==' && outer !== '&');
  return [printExpression(left), ...(isBare ? [] : [String(op)]), printExpression(right, style)].join(' ');
}

function printReject({ type, expr }: JsonObject): string {
  if (type === 'tcp reset') return 'reject with tcp reset';
  return type === undefined || (type === 'icmpx' && expr === 'port-unreachable')
    ? 'reject'
    : `reject with ${type} ${expr}`;
}

function printNat(kind: string, fields: JsonObject): string {
  const { family, addr, port } = fields;
  const isPrefix = listOf(fields['type_flags']).includes('prefix');
  const words = [kind, ...(family === undefined ? [] : [String(family)]), ...(isPrefix ? ['prefix'] : [])];
  const address = addr === undefined ? '' : printExpression(addr);
  const end = port === undefined ? '' : `:${printExpression(port)}`;
  const isBracketed = typeof addr === 'string' && addr.includes(':') && end !== '';
  if (address + end !== '') words.push('to', isBracketed ? `[${address}]${end}` : address + end);
  const flags = listOf(fields['flags']).filter((flag) => flag !== 'netmap');
  if (flags.length > 0) words.push(flags.join(','));
  return words.join(' ');
}

function printAmount(kind: string, fields: JsonObject): string {
  const { inv, val, val_unit, rate, rate_unit, per, burst, burst_unit } = fields;
  const over = inv === true ? 'over ' : '';
  if (kind !== 'limit') return `${kind} ${over}${val}${val_unit ? ` ${val_unit}` : ''}`;
  const isDefault = burst === undefined || burst === 0 || (burst === 5 && burst_unit === undefined);
  const bursts = isDefault ? '' : ` burst ${burst} ${burst_unit ?? 'packets'}`;
  return `limit rate ${over}${rate}${rate_unit ? ` ${rate_unit}` : ''}/${per}${bursts}`;
}

function printLog({ prefix, group }: JsonObject): string {
  const words = ['log'];
  if (prefix !== undefined) words.push(`prefix "${prefix}"`);
  if (group !== undefined) words.push(`group ${group}`);
  return words.join(' ');
}

function printSetStatement({ op, set, elem, stmt }: JsonObject): string {
  const inner = [printExpression(elem), ...listOf(stmt).map(printStatement)];
  return `${op} ${set} { ${inner.join(' ')} }`;
}
