import type { Backend, Family } from '../../netfilter/ruleset.ts';
import type { UfwRuleSpec } from '../step.ts';
import { describeFailure } from './describe-failure.ts';
import type { StepContext } from './step-kind.ts';
import { chainOf, normalizeRule } from './ufw-words.ts';

/** The rules of one of UFW's chains, normalized; undefined: the kernel has no such chain. */
export type UfwChain =
  | { readonly kind: 'read'; readonly rules: readonly string[] | undefined; readonly where: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** UFW calls the `iptables` of the system, whichever backend that is. No table is registered by looking. */
export async function readUfwChain(
  rule: UfwRuleSpec,
  family: Family,
  context: StepContext,
): Promise<UfwChain> {
  const { host, timeoutMs } = context;
  const program = family === 'ipv4' ? 'iptables' : 'ip6tables';
  const version = await host.run({ tool: program, args: ['--version'], timeoutMs });
  if (version.kind !== 'exited' || version.exitCode !== 0) {
    return { kind: 'failed', reason: `${program} --version: ${describeFailure(version)}` };
  }
  const backend: Backend = version.stdout.includes('nf_tables') ? 'nft' : 'legacy';
  const where = `${program}-${backend}` as const;
  if (backend === 'legacy' && !(await isRegistered(family, context))) {
    return { kind: 'read', rules: undefined, where };
  }
  const args = ['-t', 'filter'];
  const saved = await host.run({ tool: `${where}-save`, args, encoding: 'latin1', timeoutMs });
  if (saved.kind !== 'exited' || saved.exitCode !== 0) {
    return { kind: 'failed', reason: `${where}-save: ${describeFailure(saved)}` };
  }
  const chain = chainOf(rule, family);
  const lines = saved.stdout.split('\n');
  if (!lines.some((line) => line.startsWith(`:${chain} `))) return { kind: 'read', rules: undefined, where };
  const rules = lines.filter((line) => line.startsWith(`-A ${chain} `)).map(normalizeRule);
  return { kind: 'read', rules, where };
}

async function isRegistered(family: Family, { host }: StepContext): Promise<boolean> {
  const path = family === 'ipv4' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  const names = await host.readFile(path);
  return names.kind === 'read' && names.text.split('\n').includes('filter');
}
