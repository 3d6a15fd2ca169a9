import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, type Family, families } from '../../../src/netfilter/ruleset.ts';
import { runTool } from './laboratory.ts';
import { watchScript, watchTable } from './watch.ts';

/** All the rules of a node as text, a line for each that can be left out. */
export interface Rules {
  /** For `ipset restore`. */
  readonly sets: readonly string[];
  /** For `iptables-*-restore`. A backend without lines has no tables, unless it had some before. */
  readonly iptables: Readonly<Record<Backend, Readonly<Record<Family, readonly string[]>>>>;
  /** For `nft -f`. */
  readonly native: readonly string[];
  readonly nativeFirst: boolean;
}

/** Which backend's tables are registered last, and so asked first. */
export type Precedence = 'nft first' | 'legacy first';

export interface Loader {
  /** No rules but the watching ones, and no connections. */
  clear(): Promise<void>;
  /** @throws ToolError when a tool refuses them. */
  load(rules: Rules): Promise<void>;
}

export function createLoader(precedence: Precedence): Loader {
  /** Tables of legacy: they stay for as long as the namespace. */
  const registered = new Set<string>();
  /** Chains of nft's tables besides the built-in ones, by family and table. */
  const made = new Map<string, string[]>();
  return {
    async clear() {
      for (const family of families) {
        const tables = [...registered].flatMap((each) =>
          each.startsWith(family) ? [each.slice(family.length + 1)] : [],
        );
        if (tables.length > 0)
          await restore(
            'legacy',
            family,
            tables.flatMap((name) => emptyTable(name)),
          );
      }
      if (precedence === 'nft first') {
        await runTool(['nft', '-f', '-'], `flush ruleset\n${watchScript()}`);
      } else {
        await clearButTables();
      }
      await destroySets();
      await runTool(['conntrack', '-F']).catch(ignore);
    },
    async load(rules) {
      if (rules.sets.length > 0) await runTool(['ipset', 'restore'], lines(rules.sets));
      const loadNative = () =>
        rules.native.length > 0 ? runTool(['nft', '-f', '-'], lines(rules.native)) : '';
      if (rules.nativeFirst) await loadNative();
      for (const backend of precedence === 'nft first'
        ? (['legacy', 'nft'] as const)
        : (['nft', 'legacy'] as const)) {
        for (const family of families) {
          const dump = rules.iptables[backend][family];
          if (dump.length === 0) continue;
          if (backend === 'legacy') {
            for (const line of dump) if (line.startsWith('*')) registered.add(`${family} ${line.slice(1)}`);
          }
          // Without that flag its tables would be made anew, and be the last again.
          const keepsTables = backend === 'nft' && precedence === 'legacy first';
          await restore(backend, family, dump, ...(keepsTables ? ['--noflush'] : []));
          if (keepsTables) rememberChains(family, dump);
        }
      }
      if (!rules.nativeFirst) await loadNative();
    },
  };

  function rememberChains(family: Family, dump: readonly string[]): void {
    let table = '';
    for (const line of dump) {
      const [, name] = /^:(\S+) - /.exec(line) ?? [];
      if (line.startsWith('*')) table = `${family} ${line.slice(1)}`;
      if (name !== undefined) made.set(table, [...(made.get(table) ?? []), name]);
    }
  }

  /** nft's tables stay, so that those of legacy remain the ones that came last. */
  async function clearButTables(): Promise<void> {
    const listed: { nftables: { table?: { family: string; name: string } }[] } = JSON.parse(
      await runTool(['nft', '-j', 'list', 'tables']),
    );
    const iptablesNames = Object.keys(builtIn);
    const foreign = listed.nftables.flatMap(({ table }) => {
      if (table === undefined || table.name === watchTable) return [];
      if (table.family !== 'inet' && iptablesNames.includes(table.name)) return [];
      return [`delete table ${table.family} ${table.name}`];
    });
    for (const family of families) {
      // A bare -X takes the built-in chains along.
      const batch = iptablesNames.flatMap((name) => {
        const chains = made.get(`${family} ${name}`) ?? [];
        return emptyTable(name, ['-F', ...chains.map((chain) => `-X ${chain}`)]);
      });
      await restore('nft', family, batch, '--noflush');
    }
    made.clear();
    await runTool(['nft', '-f', '-'], `${foreign.join('\n')}\n${watchScript()}`);
  }
}

/** Rules that nft has deleted hold their sets for a moment longer. */
async function destroySets(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await runTool(['ipset', 'restore'], 'flush\ndestroy\n');
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await delay(5);
    }
  }
}

function ignore(): void {
  // Nothing to flush.
}

async function restore(backend: Backend, family: Family, dump: readonly string[], ...flags: string[]) {
  const program = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-restore`;
  await runTool([program, ...flags], lines(dump));
}

function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}

export const builtIn: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

function emptyTable(name: string, more: readonly string[] = []): string[] {
  return [`*${name}`, ...(builtIn[name] ?? []).map((chain) => `:${chain} ACCEPT [0:0]`), ...more, 'COMMIT'];
}
