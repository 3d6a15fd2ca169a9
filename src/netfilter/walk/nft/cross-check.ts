import type { Family } from '../../ruleset.ts';
import { type Answer, every } from '../answer.ts';
import type { Branch, CompiledRule, Flight, Place } from '../flight.ts';
import type { FirewallReading } from '../reading.ts';
import type { ChainRef } from '../walk.ts';
import { doubtfulRule } from './doubtful-rule.ts';
import { createEnvironment, type Environment } from './environment.ts';
import { isObject, type JsonObject, unwrap } from './json.ts';
import { readMatch } from './match.ts';
import { compileNftRule } from './rule.ts';
import { type NftRule, readNftRuleset } from './ruleset.ts';
import { refOfRule } from './table-rules.ts';
import { nftFamilies } from './taken-from-dump.ts';

/** The rules of a chain of iptables-nft, as its dump has them; handed back as the kernel has them. */
export type CrossCheck = (chain: ChainRef, saved: readonly CompiledRule[]) => readonly CompiledRule[];

/**
 * `iptables-nft-save` prints some rules that it cannot express as others: `ip saddr {...} accept` as
 * `-j ACCEPT`. What nft lists of the same table is exact, but for what it calls xt: so rules without xt
 * are taken from there, and those with xt are asked as saved and as listed. What is not listed is as saved.
 */
export function crossCheckOf(reading: FirewallReading, family: Family, table: string): CrossCheck {
  const { nft, network } = reading;
  if (nft.kind !== 'present') return (_, saved) => saved;
  const listed = readNftRuleset(nft.objects).tables.find(
    (each) => each.family === nftFamilies[family] && each.name === table,
  );
  if (!listed) return (_, saved) => saved;
  const environment = createEnvironment(family, listed, network);
  return (chain, saved) => {
    const rules = listed.chains.get(chain.chain)?.rules;
    // Of big tables nft is asked about the built-in chains alone.
    if (!rules) return saved;
    if (rules.length !== saved.length) return [differing(chain, saved.length, rules.length)];
    return saved.map((rule, i) =>
      asInKernel(rule, rules[i] ?? { expressions: [], comment: undefined }, environment),
    );
  };
}

function differing(chain: ChainRef, saved: number, listed: number): CompiledRule {
  const reason = `iptables-nft-save has ${saved} rules in chain ${chain.chain} of table ${chain.table}, and nft has ${listed}`;
  return doubtfulRule(chain, reason, ['continue', 'accept', 'drop']);
}

function asInKernel(
  saved: CompiledRule,
  { expressions, comment }: NftRule,
  environment: Environment,
): CompiledRule {
  // A rule that a plan would add is in the dump alone.
  if (expressions.length === 0) return saved;
  if (expressions.some(isXt)) {
    const hidden = expressions.flatMap((json) => matchThatSaveMayDrop(json));
    return hidden.length === 0 ? saved : guarded(saved, hidden, environment);
  }
  const ref = expressions.every(isSavedRight)
    ? saved.ref
    : refOfRule(saved.ref, saved.ref.number, { expressions, comment });
  return compileNftRule(ref, expressions, environment);
}

function isXt(json: unknown): boolean {
  return unwrap(json)?.[0] === 'xt';
}

/** Old versions leave out what newer ones write without xt: `-m mark`, ports. */
function matchThatSaveMayDrop(json: unknown): readonly JsonObject[] {
  const [kind, match] = unwrap(json) ?? [];
  if (kind !== 'match' || !isObject(match) || isAlwaysSaved(match)) return [];
  return [match];
}

const alwaysSaved = new Set(['ip saddr', 'ip daddr', 'ip6 saddr', 'ip6 daddr', 'ip protocol', 'ip6 nexthdr']);
const alwaysSavedMeta = new Set(['l4proto', 'iifname', 'oifname', 'iif', 'oif']);

function isAlwaysSaved(match: JsonObject): boolean {
  const [kind, left] = unwrap(match['left']) ?? [];
  if (!isObject(left) || !isPlain(match['right'])) return false;
  if (kind === 'meta') return alwaysSavedMeta.has(String(left['key']));
  return kind === 'payload' && alwaysSaved.has(`${left['protocol']} ${left['field']}`);
}

/** No set, and no range: of addresses it would print the last one alone. */
function isPlain(right: unknown): boolean {
  if (typeof right === 'string') return !right.startsWith('@');
  return typeof right === 'number' || (isObject(right) && 'prefix' in right);
}

/** Whether the text of the dump says the same. */
function isSavedRight(json: unknown): boolean {
  const [kind, body] = unwrap(json) ?? [];
  if (kind === 'match' && isObject(body)) return isAlwaysSaved(body) || isPortOrMark(body);
  return kind !== undefined && plainStatements.has(kind);
}

const plainStatements = new Set(['counter', 'accept', 'drop', 'return', 'jump', 'goto', 'limit', 'log']);

function isPortOrMark({ left, right, op }: JsonObject): boolean {
  if (op !== '==' && op !== '!=') return false;
  const [kind, body] = unwrap(left) ?? [];
  // Marks and TCP flags, masked.
  if (kind === '&') return !isSet(right);
  const field = isObject(body) ? (body['field'] ?? body['key']) : undefined;
  const isNumeric = typeof right === 'number' || (isObject(right) && 'range' in right);
  return isNumeric && (field === 'sport' || field === 'dport' || field === 'mark');
}

function isSet(right: unknown): boolean {
  return (isObject(right) && 'set' in right) || (typeof right === 'string' && right.startsWith('@'));
}

function guarded(saved: CompiledRule, hidden: readonly JsonObject[], environment: Environment): CompiledRule {
  let tests: readonly ((flight: Flight, at: Place) => Answer)[] | undefined;
  return {
    ...saved,
    follow(flight, at) {
      const branches = saved.follow(flight, at);
      const [only] = branches;
      if (branches.length === 1 && only && isNothing(only, flight)) return branches;
      tests ??= hidden.map((match) => readMatch(match, environment));
      const answer = every(tests.map((test) => test(flight, at)));
      if (answer === true) return branches;
      const unmatched: Branch = { flight, next: { kind: 'continue' } };
      if (answer === false) return [unmatched];
      const assumption = { rule: saved.ref, ...answer };
      const all = branches.some((branch) => isNothing(branch, flight)) ? branches : [...branches, unmatched];
      return all.map((branch) => ({ assumption, ...branch }));
    },
  };
}

function isNothing(branch: Branch, flight: Flight): boolean {
  return branch.next.kind === 'continue' && branch.flight === flight;
}
