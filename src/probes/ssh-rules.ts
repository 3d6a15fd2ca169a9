import type { Config } from '../config/config.ts';
import { createFactContext } from '../engine/fact.ts';
import { nfTablesLoadedFact } from '../facts/nf-tables.ts';
import type { Host } from '../host/host.ts';
import type { Tool } from '../host/tools.ts';
import { type Fate, mayPass } from '../netfilter/may-pass.ts';
import { parseRuleset } from '../netfilter/parse-ruleset.ts';
import { type Backend, backends, type Family, type Ruleset } from '../netfilter/ruleset.ts';

/** To a port at any of some addresses of this node's own. */
export interface Way {
  readonly family: Family;
  readonly addresses: readonly string[];
  readonly port: number;
}

export type JudgedRules =
  | { readonly kind: 'judged'; readonly hooks: readonly JudgedHook[] }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface JudgedHook {
  /** Such as `iptables-nft filter INPUT`. */
  readonly title: string;
  readonly fates: ReadonlySet<Fate>;
}

/** What the rules of both backends may do to a new connection. Looking loads and registers nothing. */
export async function judgeRules(host: Host, config: Config, way: Way): Promise<JudgedRules> {
  const hooks: JudgedHook[] = [];
  for (const backend of backends) {
    if (!(await isThere(host, config, { backend, family: way.family }))) continue;
    const program = `${way.family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}` as const;
    const judged = await judgeDump(host, config, { way, tool: `${program}-save`, backend });
    if (judged.kind === 'unknown') return judged;
    hooks.push(...judged.hooks.map(({ title, fates }) => ({ title: `${program} ${title}`, fates })));
  }
  return { kind: 'judged', hooks };
}

/** Whether a dump can be asked for: of a backend that is not in use, that alone would bring it in. */
async function isThere(
  host: Host,
  config: Config,
  { backend, family }: { readonly backend: Backend; readonly family: Family },
): Promise<boolean> {
  if (backend === 'nft') return createFactContext(host, config).get(nfTablesLoadedFact);
  const names = await host.readFile(
    family === 'ipv4' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names',
  );
  // Not readable: the dump will say why.
  return names.kind === 'unreadable' || (names.kind === 'read' && names.text.trim() !== '');
}

async function judgeDump(
  host: Host,
  config: Config,
  { way, tool, backend }: { readonly way: Way; readonly tool: Tool; readonly backend: Backend },
): Promise<JudgedRules> {
  const timeoutMs = config.commandTimeoutMs;
  const result = await host.run({ tool, args: ['-c'], encoding: 'latin1', timeoutMs });
  // Without the program nobody here writes to that backend; legacy tables that are there are another matter.
  if (result.kind === 'absent' && backend === 'nft') return { kind: 'judged', hooks: [] };
  if (result.kind !== 'exited') return unknown(tool, result.kind);
  // The kernel was built without it.
  if (result.exitCode === 3) return { kind: 'judged', hooks: [] };
  if (result.exitCode !== 0) return unknown(tool, `exit code ${result.exitCode}`);
  const parsed = parseRuleset(result.stdout);
  if (parsed.kind === 'unparsable') return unknown(tool, `line ${parsed.line}: ${parsed.reason}`);
  return { kind: 'judged', hooks: judgeRuleset(parsed.ruleset, way) };
}

function judgeRuleset(ruleset: Ruleset, { addresses, port }: Way): readonly JudgedHook[] {
  const judged = addresses.flatMap((address) => mayPass(ruleset, { address, port }));
  const byHook = Map.groupBy(judged, ({ hook }) => hook);
  return [...byHook].map(([title, same]) => ({
    title,
    fates: new Set(same.flatMap(({ fates }) => [...fates])),
  }));
}

function unknown(tool: Tool, why: string): JudgedRules {
  return { kind: 'unknown', reason: `the rules cannot be judged: ${tool} cannot be read (${why})` };
}
