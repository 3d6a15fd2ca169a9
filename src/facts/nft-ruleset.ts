import type { Fact, FactContext } from '../engine/fact.ts';
import { families, isBuiltIn, type Table } from '../netfilter/ruleset.ts';
import type { FirewallReading, NftReadingState } from '../netfilter/walk/reading.ts';
import { iptablesFact, wholeDumpsFact } from './iptables.ts';
import { nfTablesLoadedFact } from './nf-tables.ts';
import { type NftTableName, parseNftObjects, parseNftTables } from './parse-nft.ts';
import type { TakenDump } from './take-dump.ts';

/**
 * What `nft -j list ruleset` prints, without asking for it: with 20,000 Services in iptables-nft's tables it
 * takes nft 1.0.6 two minutes, and so does its list of tables. `nft list flowtables` names all tables at
 * once; each is then read by itself, and the big ones of iptables-nft, which have their dump, by their
 * built-in chains alone.
 */
export const nftRulesetFact: Fact<NftReadingState> = {
  id: 'nft-ruleset',
  async gather(context) {
    if (!(await context.get(nfTablesLoadedFact))) return { kind: 'absent' };
    const [listed, dumps, iptables] = await Promise.all([
      nft(context, ['list', 'flowtables']),
      context.get(wholeDumpsFact),
      context.get(iptablesFact),
    ]);
    const late = families.map((family) => dumps.nft[family]).find(isLate);
    if (late) return unknown(`${late.reason}: nft would take longer still`);
    const tables = listed.kind === 'printed' ? parseNftTables(listed.stdout) : [];
    const questions = isWhole(tables, iptables)
      ? tables.flatMap((table) => questionsAbout(table, iptables))
      : [['list', 'ruleset']];
    const answers = await Promise.all(questions.map((question) => nft(context, ['-j', ...question])));
    return join(answers);
  },
};

function isLate(dump: TakenDump<unknown>): dump is Extract<TakenDump<unknown>, { readonly kind: 'failed' }> {
  return dump.kind === 'failed' && dump.isLate === true;
}

/** Of a table with more rules than that only the built-in chains are read: some 0.4 s for nft 1.0.6. */
const manyRules = 10_000;
/** One table of kube-proxy's own nftables mode can be as large as all that iptables has. */
const patience = 6;

type Answer =
  /** Removed since it was listed, or never made: iptables-nft shows chains that are not there. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'printed'; readonly stdout: string }
  | { readonly kind: 'unknown'; readonly reason: string };

async function nft({ host, config }: FactContext, args: readonly string[]): Promise<Answer> {
  const timeoutMs = config.commandTimeoutMs * patience;
  const result = await host.run({ tool: 'nft', args, timeoutMs });
  const failed = (reason: string): Answer => ({ kind: 'unknown', reason });
  const command = ['nft', ...args].join(' ');
  switch (result.kind) {
    case 'absent':
      return failed('there is no nft: tables that no iptables made cannot be seen');
    case 'timeout':
      return failed(`${command} did not end within ${result.timeoutMs / 1000} s and was killed`);
    case 'failed-to-start':
      return failed(`${command} could not be run: ${result.reason}`);
    case 'exited': {
      if (result.exitCode === 0) return { kind: 'printed', stdout: result.stdout };
      const said = result.stderr.trim().split('\n')[0]?.slice(0, 300) ?? '';
      const isGone = !args.includes('ruleset') && said.endsWith(': No such file or directory');
      if (isGone) return { kind: 'gone' };
      return failed(`${command} failed with exit code ${result.exitCode}: ${said}`);
    }
  }
}

/** Whether a list of tables can be believed: there are some, and those that iptables-nft has shown. */
function isWhole(tables: readonly NftTableName[], iptables: FirewallReading['iptables']): boolean {
  const listed = new Set(tables.map(({ family, name }) => `${family} ${name}`));
  return (
    listed.size > 0 &&
    families.every((family) => {
      const dump = iptables.nft[family];
      const shown = dump.kind === 'present' ? [...dump.ruleset.tables.keys()] : [];
      return shown.every((name) => listed.has(`${family === 'ipv4' ? 'ip' : 'ip6'} ${name}`));
    })
  );
}

function questionsAbout(
  { family, name }: NftTableName,
  iptables: FirewallReading['iptables'],
): readonly (readonly string[])[] {
  const chains = builtInChainsIfBig(dumpedTable({ family, name }, iptables));
  if (chains === undefined) return [['list', 'table', family, name]];
  return chains.map((chain) => ['list', 'chain', family, name, chain]);
}

function dumpedTable(
  { family, name }: NftTableName,
  { nft }: FirewallReading['iptables'],
): Table | undefined {
  const dump = family === 'ip' ? nft.ipv4 : family === 'ip6' ? nft.ipv6 : undefined;
  return dump?.kind === 'present' ? dump.ruleset.tables.get(name) : undefined;
}

function builtInChainsIfBig(table: Table | undefined): readonly string[] | undefined {
  if (table === undefined) return undefined;
  const chains = [...table.chains.values()];
  const rules = chains.reduce((sum, { ruleCount }) => sum + ruleCount, 0);
  return rules > manyRules ? chains.filter(isBuiltIn).map(({ name }) => name) : undefined;
}

function join(answers: readonly Answer[]): NftReadingState {
  const objects: unknown[] = [];
  for (const answer of answers) {
    if (answer.kind === 'unknown') return unknown(answer.reason);
    if (answer.kind === 'gone') continue;
    const some = parseNftObjects(answer.stdout);
    if (some === undefined) return unknown('what nft printed is not its JSON');
    for (const object of some) objects.push(object);
  }
  return { kind: 'present', objects };
}

function unknown(reason: string): NftReadingState {
  return { kind: 'unknown', reason };
}
