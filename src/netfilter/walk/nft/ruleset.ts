import { isObject, type JsonObject, listOf, textOf } from './json.ts';

/** What `nft -j list ruleset` says, by table. Nothing is looked into but where it belongs. */
export interface NftRuleset {
  /** In the order in which they are listed. */
  readonly tables: readonly NftTable[];
}

export interface NftTable {
  /** `ip`, `ip6`, `inet`, `bridge`, `netdev`, `arp`. */
  readonly family: string;
  readonly name: string;
  /** A dormant table is there without being asked. Undefined: its flags are not understood. */
  readonly dormant: boolean | undefined;
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly sets: ReadonlyMap<string, NftSet>;
}

export interface NftChain {
  readonly name: string;
  readonly hook: NftHook | undefined;
  readonly rules: readonly NftRule[];
}

export interface NftHook {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** Of an ingress or egress hook. */
  readonly devices: readonly string[];
}

export interface NftRule {
  readonly expressions: readonly unknown[];
  readonly comment: string | undefined;
}

export interface NftSet {
  readonly name: string;
  readonly elements: readonly unknown[];
}

type OpenChain = Omit<NftChain, 'rules'> & { readonly rules: NftRule[] };
type OpenTable = Omit<NftTable, 'chains' | 'sets'> & {
  readonly chains: Map<string, OpenChain>;
  readonly sets: Map<string, NftSet>;
};

const read = new WeakMap<readonly unknown[], NftRuleset>();

/** Read once for each list of objects. */
export function readNftRuleset(objects: readonly unknown[]): NftRuleset {
  const before = read.get(objects);
  if (before) return before;
  const tables = new Map<string, OpenTable>();
  for (const object of objects) if (isObject(object)) readObject(tables, object);
  const ruleset = { tables: [...tables.values()] };
  read.set(objects, ruleset);
  return ruleset;
}

function readObject(tables: Map<string, OpenTable>, object: JsonObject): void {
  const { table, chain, rule, set, map } = object;
  if (isObject(rule)) {
    const { rules } = openChain(openTable(tables, rule['family'], rule['table']), rule['chain']);
    rules.push({ expressions: listOf(rule['expr']), comment: textOf(rule['comment']) });
  } else if (isObject(chain)) {
    const home = openTable(tables, chain['family'], chain['table']);
    const name = String(chain['name']);
    const hook = readHook(chain);
    home.chains.set(name, { name, hook, rules: home.chains.get(name)?.rules ?? [] });
  } else if (isObject(set) || isObject(map)) {
    const body = isObject(set) ? set : isObject(map) ? map : {};
    const name = String(body['name']);
    openTable(tables, body['family'], body['table']).sets.set(name, { name, elements: listOf(body['elem']) });
  } else if (isObject(table)) {
    const home = openTable(tables, table['family'], table['name']);
    tables.set(keyOf(home.family, home.name), { ...home, dormant: isDormant(table['flags']) });
  }
}

function keyOf(family: unknown, name: unknown): string {
  return `${family} ${name}`;
}

function openTable(tables: Map<string, OpenTable>, family: unknown, name: unknown): OpenTable {
  const key = keyOf(family, name);
  const made = tables.get(key) ?? {
    family: String(family),
    name: String(name),
    dormant: false,
    chains: new Map(),
    sets: new Map(),
  };
  tables.set(key, made);
  return made;
}

function openChain(table: OpenTable, name: unknown): OpenChain {
  const key = String(name);
  const made = table.chains.get(key) ?? { name: key, hook: undefined, rules: [] };
  table.chains.set(key, made);
  return made;
}

function readHook(chain: JsonObject): NftHook | undefined {
  const { hook, type, prio, policy, dev } = chain;
  if (typeof hook !== 'string') return undefined;
  return {
    type: textOf(type) ?? 'filter',
    hook,
    priority: typeof prio === 'number' ? prio : 0,
    policy: policy === 'drop' ? 'drop' : 'accept',
    devices: listOf(dev).map(String),
  };
}

const harmlessFlags = new Set(['owner', 'persist']);

/** nft 1.0.6 prints something else than the flag's name at times. */
function isDormant(flags: unknown): boolean | undefined {
  const names = listOf(flags);
  if (names.includes('dormant')) return true;
  return names.every((name) => typeof name === 'string' && harmlessFlags.has(name)) ? false : undefined;
}
