import type { FactContext } from '../engine/fact.ts';
import type { Command, CommandResult, Host } from '../host/host.ts';
import type { Tool } from '../host/tools.ts';
import type { DumpFault } from '../netfilter/dump-grammar.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import { nfTablesLoadedFact } from './nf-tables.ts';

/** `absent`: the kernel or the machine has no such backend, or nothing was ever put into it. */
export type TakenDump<T> =
  | { readonly kind: 'present'; readonly value: T }
  | { readonly kind: 'absent'; readonly reason: string }
  /** `isLate`: it was killed because it took too long. */
  | { readonly kind: 'failed'; readonly reason: string; readonly hint?: string; readonly isLate?: true };

/** How a dump is read: as it comes, or as a whole. */
export interface DumpTaker<T> {
  run(host: Host, command: Command): Promise<CommandResult>;
  /** After the program has ended well; `stdout` is empty where `run` has read it. */
  read(
    stdout: string,
  ): { readonly kind: 'read'; readonly value: T } | ({ readonly kind: 'unparsable' } & DumpFault);
  hasTable(value: T, name: string): boolean;
}

interface Which {
  readonly backend: Backend;
  readonly family: Family;
}

/** Takes the dump of one backend and family, all tables, with counters, if taking it changes nothing. */
export function takeDump<T>(
  context: FactContext,
  { backend, family }: Which,
  taker: DumpTaker<T>,
): Promise<TakenDump<T>> {
  return backend === 'legacy' ? takeLegacy(context, family, taker) : takeNft(context, family, taker);
}

const saveTools = {
  legacy: { ipv4: 'iptables-legacy-save', ipv6: 'ip6tables-legacy-save' },
  nft: { ipv4: 'iptables-nft-save', ipv6: 'ip6tables-nft-save' },
} as const satisfies Record<Backend, Record<Family, Tool>>;

/**
 * `iptables-legacy-save` alone dumps the tables that the kernel already has; with `-t`, or through
 * `-L`, it would register the table, and the nat table registered last is the one that wins.
 */
async function takeLegacy<T>(
  context: FactContext,
  family: Family,
  taker: DumpTaker<T>,
): Promise<TakenDump<T>> {
  const tool = saveTools.legacy[family];
  const names = family === 'ipv4' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  const file = await context.host.readFile(names);
  if (file.kind === 'unreadable') {
    return { kind: 'failed', reason: `cannot read ${names}: ${file.reason}`, hint: 'run as root' };
  }
  if (file.kind === 'absent') return { kind: 'absent', reason: 'the kernel has no legacy backend loaded' };
  const registered = file.text.split(/\s+/).filter((name) => name !== '');
  if (registered.length === 0) return { kind: 'absent', reason: 'no legacy table is registered' };
  const result = await run(context, tool, taker);
  if (result.kind === 'absent') {
    return {
      kind: 'failed',
      reason: `legacy tables are registered (${registered.join(', ')}) and no program here can list them`,
      hint: `install iptables, or set commands.${tool} in the configuration`,
    };
  }
  const dump = judge(result, tool, taker);
  if (dump.kind !== 'present') return dump;
  // A dump that ends early between two tables looks whole; the kernel knows which tables there are.
  const missing = registered.filter((name) => !taker.hasTable(dump.value, name));
  if (missing.length === 0) return dump;
  return { kind: 'failed', reason: `${tool} left out table ${missing.join(', ')}, which the kernel has` };
}

async function takeNft<T>(context: FactContext, family: Family, taker: DumpTaker<T>): Promise<TakenDump<T>> {
  if (!(await context.get(nfTablesLoadedFact))) return { kind: 'absent', reason: 'nf_tables is not loaded' };
  const tool = saveTools.nft[family];
  const result = await run(context, tool, taker);
  if (result.kind === 'absent') {
    return { kind: 'absent', reason: `there is no ${tool} (looked for ${result.looked.join(', ')})` };
  }
  return judge(result, tool, taker);
}

function run<T>({ host, config }: FactContext, tool: Tool, taker: DumpTaker<T>): Promise<CommandResult> {
  return taker.run(host, { tool, args: ['-c'], encoding: 'latin1', timeoutMs: config.commandTimeoutMs });
}

function judge<T>(result: CommandResult, tool: Tool, taker: DumpTaker<T>): TakenDump<T> {
  if (result.kind === 'timeout') {
    const seconds = result.timeoutMs / 1000;
    return { kind: 'failed', reason: `${tool} did not end within ${seconds} s and was killed`, isLate: true };
  }
  if (result.kind !== 'exited') {
    const reason = result.kind === 'absent' ? 'not found' : result.reason;
    return { kind: 'failed', reason: `${tool} could not be run: ${reason}` };
  }
  // The table is there: only a rule in it is beyond the program, which it says with exit code 3 too.
  if (result.stderr.includes('Parsing nftables rule failed')) {
    const said = result.stderr.trim().split('\n')[0] ?? '';
    return { kind: 'failed', reason: `${tool} cannot print a rule that nft has made: ${said}` };
  }
  // "can't initialize iptables table: Table does not exist": the kernel was built without it.
  if (result.exitCode === 3) return { kind: 'absent', reason: 'the kernel does not support it' };
  if (result.exitCode !== 0) {
    const said = result.stderr.trim().split('\n').at(-1) ?? '';
    return { kind: 'failed', reason: `${tool} failed with exit code ${result.exitCode}: ${said}` };
  }
  const read = taker.read(result.stdout);
  if (read.kind === 'read') return { kind: 'present', value: read.value };
  const text = read.text ? `: ${JSON.stringify(read.text)}` : '';
  return { kind: 'failed', reason: `${tool} line ${read.line} cannot be read: ${read.reason}${text}` };
}
