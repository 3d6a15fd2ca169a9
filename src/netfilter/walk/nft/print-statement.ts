import { isObject, listOf, unwrap } from './json.ts';
import { printExpression } from './print-expression.ts';

/** A rule in one line, about as nft prints it. */
export function printNftRule(expressions: readonly unknown[], comment: string | undefined): string {
  const words = expressions.map(printStatement);
  if (comment !== undefined) words.push(`comment "${comment}"`);
  return words.join(' ');
}

export function printStatement(json: unknown): string {
  const [kind, body] = unwrap(json) ?? [];
  const fields = isObject(body) ? body : {};
  switch (kind) {
    case 'match':
      return printMatch(fields);
    case 'vmap':
      return `${printExpression(fields['key'])} vmap ${printExpression(fields['data'])}`;
    case 'counter':
    case 'notrack':
      return kind;
    case 'reject':
      return printReject(fields);
    case 'mangle':
      return `${printExpression(fields['key'])} set ${printExpression(fields['value'])}`;
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
      return [
        fields['op'],
        fields['set'],
        '{',
        printExpression(fields['elem']),
        ...printInner(fields),
        '}',
      ].join(' ');
    case 'xt':
      return `xt ${fields['type'] ?? ''} "${fields['name'] ?? ''}"`;
    default:
      return printExpression(json);
  }
}

function printMatch({ op, left, right }: { readonly [field: string]: unknown }): string {
  const operator = op === '==' || op === 'in' ? [] : [String(op)];
  return [printExpression(left), ...operator, printExpression(right)].join(' ');
}

function printReject({ type, expr }: { readonly [field: string]: unknown }): string {
  if (type === 'tcp reset') return 'reject with tcp reset';
  return type === undefined ? 'reject' : `reject with ${type} ${expr}`;
}

function printNat(kind: string, fields: { readonly [field: string]: unknown }): string {
  const { family, addr, port } = fields;
  const words = [kind];
  if (family !== undefined) words.push(String(family));
  const address = addr === undefined ? '' : printExpression(addr);
  const end = port === undefined ? '' : `:${printExpression(port)}`;
  if (address + end !== '')
    words.push('to', address.includes(':') && end !== '' ? `[${address}]${end}` : address + end);
  const flags = listOf(fields['flags']);
  if (flags.length > 0) words.push(flags.join(','));
  return words.join(' ');
}

function printAmount(kind: string, fields: { readonly [field: string]: unknown }): string {
  const over = fields['inv'] === true ? 'over ' : '';
  if (kind !== 'limit')
    return `${kind} ${over}${fields['val']}${fields['val_unit'] ? ` ${fields['val_unit']}` : ''}`;
  const unit = fields['rate_unit'] ? ` ${fields['rate_unit']}` : '';
  const burst = fields['burst'] ? ` burst ${fields['burst']} ${fields['burst_unit'] ?? 'packets'}` : '';
  return `limit rate ${over}${fields['rate']}${unit}/${fields['per']}${burst}`;
}

function printLog({ prefix, group }: { readonly [field: string]: unknown }): string {
  const words = ['log'];
  if (prefix !== undefined) words.push(`prefix "${prefix}"`);
  if (group !== undefined) words.push(`group ${group}`);
  return words.join(' ');
}

function printInner({ stmt }: { readonly [field: string]: unknown }): string[] {
  return listOf(stmt).map(printStatement);
}
