import { isBuiltIn, type Ruleset, ruleLines, type Table } from '../../src/netfilter/ruleset.ts';

/** A table as the kernel holds it: chains in order of their making, with a policy or none, and rules. */
export type KernelTable = ReadonlyMap<string, KernelChain>;

export interface KernelChain {
  readonly policy: string;
  /** As iptables-save prints them, counters in front where it was asked for them. */
  readonly rules: readonly string[];
}

export type Restored =
  | { readonly kind: 'done'; readonly table: KernelTable }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly reason: string };

export function kernelTable(ruleset: Ruleset, table: Table): KernelTable {
  return new Map(
    [...table.chains.values()].map((chain) => [
      chain.name,
      { policy: isBuiltIn(chain) ? chain.policy : '-', rules: [...ruleLines(ruleset, chain)] },
    ]),
  );
}

/** What `iptables-save -c -t NAME` would print of it. */
export function saveTable(name: string, table: KernelTable): string {
  const chains = [...table];
  return [
    `*${name}`,
    ...chains.map(([chain, { policy }]) => `:${chain} ${policy} [0:0]`),
    ...chains.flatMap(([, { rules }]) => rules),
    'COMMIT\n',
  ].join('\n');
}

/**
 * What the kernel does with a batch of one table for `iptables-restore --noflush --counters`: all
 * of it or nothing. Declaring a chain makes it or empties it (a built-in one gets the policy), a
 * chain that has rules or is led to cannot be deleted, and what does not exist cannot either.
 */
export function restoreNoflush(before: KernelTable, batch: string): Restored {
  const chains = new Map(
    [...before].map(([name, { policy, rules }]) => [name, { policy, rules: [...rules] }]),
  );
  const lines = batch.split('\n');
  if (!/^\*\w+$/.test(lines[0] ?? '') || lines.at(-2) !== 'COMMIT' || lines.at(-1) !== '')
    return refuse('no batch');
  for (const line of lines.slice(1, -2)) {
    const reason = execute(line);
    if (reason !== undefined) return refuse(`${line}: ${reason}`);
  }
  return { kind: 'done', table: chains };

  function execute(line: string): string | undefined {
    const declared = /^:(\S+) (\S+) \[\d+:\d+\]$/.exec(line);
    if (declared) return declare(declared[1] ?? '', declared[2] ?? '');
    const [, counters = '', verb, name = '', rest = ''] =
      /^(\[\d+:\d+\] )?-([ADIX]) (\S+)(.*)$/.exec(line) ?? [];
    const chain = chains.get(name);
    if (!chain) return 'no such chain';
    if (verb === 'X') return remove(name, chain);
    const target = / -[jg] (\S+)/.exec(withoutComment(rest))?.[1];
    if (target !== undefined && /^(KUBE|CNI|ufw)-/.test(target) && !chains.has(target))
      return 'no such target';
    if (verb === 'A') chain.rules.push(`${counters}-A ${name}${rest}`);
    if (verb === 'D') return deleteRule(chain.rules, `-A ${name}${rest}`);
    if (verb === 'I') {
      const [, position = '1', spec = ''] = /^ (\d+)( .*)$/.exec(rest) ?? [];
      if (Number(position) > chain.rules.length + 1) return 'index of insertion too big';
      chain.rules.splice(Number(position) - 1, 0, `${counters}-A ${name}${spec}`);
    }
    return verb === undefined ? 'not understood' : undefined;
  }

  function declare(name: string, policy: string): undefined {
    const chain = chains.get(name);
    if (!chain) chains.set(name, { policy, rules: [] });
    else if (chain.policy === '-') chain.rules.length = 0;
    else chain.policy = policy;
  }

  function remove(name: string, chain: { readonly policy: string; readonly rules: readonly string[] }) {
    if (chain.policy !== '-') return 'built-in';
    if (chain.rules.length > 0) return 'not empty';
    const isReferred = [...chains.values()].some(({ rules }) =>
      rules.some((rule) => new RegExp(` -[jg] ${name}( |$)`).test(withoutComment(rule))),
    );
    if (isReferred) return 'busy';
    chains.delete(name);
    return undefined;
  }
}

function deleteRule(rules: string[], wanted: string): string | undefined {
  const at = rules.findIndex((rule) => rule.replace(/^\[\d+:\d+\] /, '') === wanted);
  if (at === -1) return 'no such rule';
  rules.splice(at, 1);
  return undefined;
}

function withoutComment(text: string): string {
  return text.replace(/--comment ("(\\.|[^"\\])*"|\S+)/g, '');
}

function refuse(reason: string): Restored {
  return { kind: 'refused', reason };
}
