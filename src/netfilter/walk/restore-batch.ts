import { parseRule, withoutCounters } from '../rule.ts';
import { type Chain, type Ruleset, ruleLines, type Table } from '../ruleset.ts';

/** What a batch for `iptables-restore --noflush --counters` makes of a dump. */
export type Restored =
  | {
      readonly kind: 'done';
      readonly ruleset: Ruleset;
      /** Chains that it made, wrote to or deleted. */
      readonly changed: ReadonlyMap<string, ChangedChain>;
    }
  /** The kernel takes all of a table's batch or nothing. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface ChangedChain {
  /** How many it had before. */
  readonly ruleCount: number;
  /** Undefined: it is gone. */
  readonly rules: readonly RestoredRule[] | undefined;
}

export interface RestoredRule {
  readonly line: string;
  /** Where it stood in its chain before, from 0; undefined: it is new. */
  readonly was: number | undefined;
}

interface OpenChain {
  readonly policy: string;
  readonly rules: RestoredRule[];
}

/** Interprets a batch of one table, as `printRemoval` and `printAddition` write it. Pure. */
export function restoreBatch(before: Ruleset, batch: string): Restored {
  const [head = '', ...lines] = batch.split('\n');
  const name = head.slice(1);
  const table = before.tables.get(name) ?? { name, chains: new Map<string, Chain>() };
  const open = new Map<string, OpenChain>();
  const deleted = new Set<string>();
  for (const line of lines) {
    if (line === 'COMMIT') break;
    const reason = execute(line);
    if (reason !== undefined) return { kind: 'refused', reason: `${line}: ${reason}` };
  }
  const busy = findReference();
  if (busy !== undefined) return { kind: 'refused', reason: `chain ${busy} is still led to` };
  const changed = new Map<string, ChangedChain>();
  for (const chain of [...open.keys(), ...deleted]) {
    const was = table.chains.get(chain);
    const { rules } = open.get(chain) ?? {};
    changed.set(chain, { ruleCount: was?.ruleCount ?? 0, rules });
  }
  return { kind: 'done', ruleset: rewrite(before, table, changed), changed };

  function execute(line: string): string | undefined {
    if (line.startsWith(':')) return declare(line.slice(1, line.indexOf(' ')));
    const [, counters = '', verb = '', chain = '', rest = ''] =
      /^(\[\d+:\d+\] )?-([ADIX]) (\S+)(.*)$/.exec(line) ?? [];
    const home = openChain(chain);
    if (!home) return 'there is no such chain';
    switch (verb) {
      case 'X':
        if (home.policy !== '-' || home.rules.length > 0) return 'it cannot be deleted';
        open.delete(chain);
        deleted.add(chain);
        return undefined;
      case 'A':
        home.rules.push({ line, was: undefined });
        return undefined;
      case 'D':
        return deleteRule(home, `-A ${chain}${rest}`);
      case 'I':
        return insertRule(home, { counters, chain, rest });
      default:
        return 'it is not understood';
    }
  }

  /** What was in it need not even be looked at. */
  function declare(chain: string): string | undefined {
    const { policy = '-' } = open.get(chain) ?? table.chains.get(chain) ?? {};
    if (policy !== '-') return 'it would set the policy of a built-in chain';
    open.set(chain, { policy, rules: [] });
    deleted.delete(chain);
    return undefined;
  }

  function openChain(chain: string): OpenChain | undefined {
    const known = open.get(chain);
    const there = table.chains.get(chain);
    if (known || !there || deleted.has(chain)) return known;
    const rules = Array.from(ruleLines(before, there), (line, was) => ({ line, was }));
    const opened = { policy: there.policy, rules };
    open.set(chain, opened);
    return opened;
  }

  /** A deleted chain that a rule which stays still leads to. */
  function findReference(): string | undefined {
    if (deleted.size === 0) return undefined;
    for (const chain of table.chains.values()) {
      if (deleted.has(chain.name) || open.has(chain.name)) continue;
      for (const line of ruleLines(before, chain)) if (leadsToDeleted(line)) return jumpTarget(line);
    }
    for (const { rules } of open.values())
      for (const { line } of rules) if (leadsToDeleted(line)) return jumpTarget(line);
    return undefined;
  }

  /** Few lines even look like it, so few have to be parsed. */
  function leadsToDeleted(line: string): boolean {
    for (const [, target = ''] of line.matchAll(/ -[jg] (\S+)/g))
      if (deleted.has(target)) return deleted.has(jumpTarget(line) ?? '');
    return false;
  }
}

function jumpTarget(line: string): string | undefined {
  return parseRule(line)?.jump?.target;
}

function deleteRule(home: OpenChain, wanted: string): string | undefined {
  const at = home.rules.findIndex(({ line }) => withoutCounters(line) === wanted);
  if (at === -1) return 'there is no such rule';
  home.rules.splice(at, 1);
  return undefined;
}

function insertRule(
  home: OpenChain,
  { counters, chain, rest }: { readonly counters: string; readonly chain: string; readonly rest: string },
): string | undefined {
  const [, position = '1', spec = rest] = /^ (\d+)(.*)$/.exec(rest) ?? [];
  if (Number(position) > home.rules.length + 1) return 'that is behind the end of the chain';
  const line = `${counters}-A ${chain}${spec}`;
  home.rules.splice(Number(position) - 1, 0, { line, was: undefined });
  return undefined;
}

/** The old text stays and is added to: most chains are as they were, and a dump may have megabytes. */
function rewrite(before: Ruleset, table: Table, changed: ReadonlyMap<string, ChangedChain>): Ruleset {
  const chains = new Map(table.chains);
  const added: string[] = [];
  let at = before.text.length;
  const append = (line: string) => {
    const begin = at;
    added.push(line, '\n');
    at += line.length + 1;
    return begin;
  };
  if (before.text !== '' && !before.text.endsWith('\n')) append('');
  for (const [name, { rules }] of changed) {
    if (!rules) {
      chains.delete(name);
      continue;
    }
    const was = table.chains.get(name);
    const declaredAt = was?.declaredAt ?? append(`:${name} - [0:0]`);
    const begin = at;
    for (const { line } of rules) append(line);
    const end = Math.max(begin, at - 1);
    const policy = was?.policy ?? '-';
    chains.set(name, { name, policy, declaredAt, begin, end, more: undefined, ruleCount: rules.length });
  }
  const tables = new Map(before.tables).set(table.name, { name: table.name, chains });
  return { text: before.text + added.join(''), tables, unreadable: before.unreadable };
}
