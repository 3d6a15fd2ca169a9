/**
 * facts/: what is known of the node, typed, gathered through the host alone. A fact here may serve
 * several checks; it never judges.
 */
import { DoctorError } from '../doctor-error.ts';
import type { Fact, FactContext } from '../engine/fact.ts';
import type { CommandResult } from '../host/host.ts';
import type { Tool } from '../host/tools.ts';
import { createDumpReadingReader, type DumpReading, type DumpReadingReader } from '../netfilter/read-dump.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import { nfTablesLoadedFact } from './nf-tables.ts';

/** `absent`: the kernel or the machine has no such backend, or nothing was ever put into it. */
export type BackendDump =
  | { readonly kind: 'present'; readonly reading: DumpReading }
  | { readonly kind: 'absent'; readonly reason: string };

export type Rulesets = Readonly<Record<Backend, Readonly<Record<Family, BackendDump>>>>;

/** All four dumps, side by side: two backends, two families, all tables, with counters. */
export const rulesetsFact: Fact<Rulesets> = {
  id: 'rulesets',
  async gather(context) {
    const [legacy4, legacy6, nft4, nft6] = await Promise.all([
      dumpLegacy(context, 'ipv4'),
      dumpLegacy(context, 'ipv6'),
      dumpNft(context, 'ipv4'),
      dumpNft(context, 'ipv6'),
    ]);
    return { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } };
  },
};

const saveTools = {
  legacy: { ipv4: 'iptables-legacy-save', ipv6: 'ip6tables-legacy-save' },
  nft: { ipv4: 'iptables-nft-save', ipv6: 'ip6tables-nft-save' },
} as const satisfies Record<Backend, Record<Family, Tool>>;

/** A dump that ends early between two tables looks whole; the kernel knows which tables there are. */
function requireTables(dump: BackendDump, names: string, tool: Tool): BackendDump {
  if (dump.kind === 'absent') return dump;
  const missing = names.split(/\s+/).filter((name) => name !== '' && !dump.reading.tables.has(name));
  if (missing.length === 0) return dump;
  throw new DoctorError('undetermined', `${tool} left out table ${missing.join(', ')}, which the kernel has`);
}

/**
 * `iptables-legacy-save` alone dumps the tables that the kernel already has; with `-t`, or through
 * `-L`, it would register the table, and the nat table registered last is the one that wins.
 */
async function dumpLegacy(context: FactContext, family: Family): Promise<BackendDump> {
  const names = family === 'ipv4' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  const file = await context.host.readFile(names);
  if (file.kind === 'unreadable') {
    throw new DoctorError('undetermined', `cannot read ${names}: ${file.reason}`, { hint: 'run as root' });
  }
  if (file.kind === 'absent') return { kind: 'absent', reason: 'the kernel has no legacy backend loaded' };
  if (file.text.trim() === '') return { kind: 'absent', reason: 'no legacy table is registered' };
  const reader = createDumpReadingReader();
  const dump = await run(context, saveTools.legacy[family], reader);
  if (dump.kind === 'absent') {
    throw new DoctorError(
      'undetermined',
      `legacy tables are registered (${file.text.trim().split(/\s+/).join(', ')}) and no program here can list them`,
      { hint: `install iptables, or set commands.${saveTools.legacy[family]} in the configuration` },
    );
  }
  return requireTables(judge(dump, saveTools.legacy[family], reader), file.text, saveTools.legacy[family]);
}

async function dumpNft(context: FactContext, family: Family): Promise<BackendDump> {
  if (!(await context.get(nfTablesLoadedFact))) return { kind: 'absent', reason: 'nf_tables is not loaded' };
  const reader = createDumpReadingReader();
  const dump = await run(context, saveTools.nft[family], reader);
  if (dump.kind === 'absent') {
    return {
      kind: 'absent',
      reason: `there is no ${saveTools.nft[family]} (looked for ${dump.looked.join(', ')})`,
    };
  }
  return judge(dump, saveTools.nft[family], reader);
}

function run(context: FactContext, tool: Tool, reader: DumpReadingReader): Promise<CommandResult> {
  const { commandTimeoutMs: timeoutMs } = context.config;
  return context.host.runLines({ tool, args: ['-c'], timeoutMs }, reader.line);
}

function judge(result: CommandResult, tool: Tool, reader: DumpReadingReader): BackendDump {
  if (result.kind === 'timeout') {
    throw new DoctorError(
      'undetermined',
      `${tool} did not end within ${result.timeoutMs / 1000} s and was killed`,
    );
  }
  if (result.kind !== 'exited') {
    const reason = result.kind === 'absent' ? 'not found' : result.reason;
    throw new DoctorError('undetermined', `${tool} could not be run: ${reason}`);
  }
  // "can't initialize iptables table: Table does not exist": the kernel was built without it.
  if (result.exitCode === 3) return { kind: 'absent', reason: 'the kernel does not support it' };
  if (result.exitCode !== 0) {
    const said = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new DoctorError('undetermined', `${tool} failed with exit code ${result.exitCode}: ${said}`);
  }
  const read = reader.end();
  if (read.kind === 'read') return { kind: 'present', reading: read.reading };
  const text = read.text ? `: ${JSON.stringify(read.text)}` : '';
  throw new DoctorError('undetermined', `${tool} line ${read.line} cannot be read: ${read.reason}${text}`);
}
