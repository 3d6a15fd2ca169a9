export type UfwPolicy = 'allow' | 'deny' | 'reject';

/** One `### tuple ###` of user.rules or user6.rules. */
export interface UfwRule {
  readonly family: 'ipv4' | 'ipv6';
  /** True of a `ufw route ...` rule. */
  readonly route: boolean;
  readonly action: 'allow' | 'deny' | 'reject' | 'limit';
  readonly direction: 'in' | 'out';
  readonly protocol: string;
  /** `any` or as UFW writes it: `22`, `80,443`, `60000:61000`. */
  readonly destinationPort: string;
  readonly destination: string;
  readonly sourcePort: string;
  readonly source: string;
  readonly inLink: string | undefined;
  readonly outLink: string | undefined;
  readonly comment: string;
}

/** The assignments of one of UFW's files, names as written and values in lower case without quotes. */
export function parseUfwSettings(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^(\w+)="?(\w+)"?/gm);
  return new Map([...found].map(([, name = '', value = '']) => [name, value.toLowerCase()]));
}

/** What UFW's word for a policy comes to. */
export function parseUfwPolicy(value: string | undefined): UfwPolicy | undefined {
  if (value === 'accept') return 'allow';
  if (value === 'drop') return 'deny';
  return value === 'reject' ? value : undefined;
}

export type ParsedUfwRules =
  | { readonly kind: 'parsed'; readonly rules: readonly UfwRule[] }
  /** `line` is counted from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly reason: string };

/**
 * The rules of user.rules or user6.rules: of each the line `### tuple ###`, from which UFW makes the
 * lines for iptables that follow it.
 */
export function parseUfwRules(family: UfwRule['family'], text: string): ParsedUfwRules {
  const rules: UfwRule[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.startsWith('### tuple ###')) continue;
    const rule = parseTuple(family, line.slice('### tuple ###'.length));
    if (typeof rule === 'string') return { kind: 'malformed', line: index + 1, reason: rule };
    rules.push(rule);
  }
  return { kind: 'parsed', rules };
}

/** A line for a person when it is none that UFW would understand. */
function parseTuple(family: UfwRule['family'], text: string): UfwRule | string {
  const [, tuple = '', comment] = /^(.*?)(?: comment=(\S*))?\s*$/.exec(text) ?? [];
  const fields = tuple.trim().split(/\s+/);
  // With an application's profile come two more, and very old ones end before the direction.
  if (fields.length < 6 || fields.length > 9) return `expected 6 to 9 fields, found ${fields.length}`;
  const [verb = '', protocol = '', destinationPort = '', destination = '', sourcePort = '', source = ''] =
    fields;
  const [, route, action] = /^(route:)?(allow|deny|reject|limit)(?:_log|_log-all)?$/.exec(verb) ?? [];
  if (!isAction(action)) return `"${verb}" is no action of UFW's`;
  const place = fields.length % 2 === 0 ? { direction: 'in' as const } : parsePlace(fields.at(-1) ?? '');
  if (place === undefined) return `"${fields.at(-1)}" is no direction`;
  const decoded = decodeComment(comment ?? '');
  if (decoded === undefined) return 'the comment is not in hexadecimal';
  return {
    family,
    route: route !== undefined,
    action,
    direction: place.direction,
    protocol,
    destinationPort,
    destination,
    sourcePort,
    source,
    inLink: 'inLink' in place ? place.inLink : undefined,
    outLink: 'outLink' in place ? place.outLink : undefined,
    comment: decoded,
  };
}

function isAction(word: string | undefined): word is UfwRule['action'] {
  return word !== undefined && ['allow', 'deny', 'reject', 'limit'].includes(word);
}

type Place = Pick<UfwRule, 'direction' | 'inLink' | 'outLink'>;

/** `in`, `out`, `in_eth0`, `out_eth0`, `in_eth0!out_eth1`. */
function parsePlace(text: string): Place | undefined {
  const [, inLink, outLink] = /^in_(.+)!out_(.+)$/.exec(text) ?? [];
  if (inLink !== undefined) return { direction: 'in', inLink, outLink };
  const [, direction, link] = /^(in|out)(?:_(.+))?$/.exec(text) ?? [];
  if (direction === 'in') return { direction, inLink: link, outLink: undefined };
  if (direction === 'out') return { direction, inLink: undefined, outLink: link };
  return undefined;
}

function decodeComment(hex: string): string | undefined {
  return /^([0-9a-f]{2})*$/i.test(hex) ? Buffer.from(hex, 'hex').toString('utf8') : undefined;
}
