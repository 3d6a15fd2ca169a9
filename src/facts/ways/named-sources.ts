import { optionValue, parseRule, type Rule } from '../../netfilter/rule.ts';
import { backends, type Family, type Ruleset, ruleLines } from '../../netfilter/ruleset.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import { sampleAddresses } from './sample-addresses.ts';

/** Each costs walks, and a list of banned addresses may have thousands. */
const limit = 24;

/**
 * Addresses that the filters' rules name as sources, one of each network: whom somebody once let in to a
 * port, or kept out. Rules that cannot concern the port are left out, and those about pods.
 */
export function namedSources(
  { iptables }: FirewallReading,
  family: Family,
  ports: readonly number[],
): readonly string[] {
  const networks = new Set<string>();
  for (const backend of backends) {
    const dump = iptables[backend][family];
    if (dump.kind === 'present') addSources(networks, dump.ruleset, ports);
  }
  return [...networks].flatMap((network) => sampleAddresses(network).slice(0, 1));
}

function addSources(networks: Set<string>, ruleset: Ruleset, ports: readonly number[]): void {
  for (const chain of ruleset.tables.get('filter')?.chains.values() ?? []) {
    if (/^(FORWARD$|OUTPUT$|KUBE-POD-FW-|KUBE-NWPLCY-)/.test(chain.name)) continue;
    for (const line of ruleLines(ruleset, chain)) {
      if (networks.size >= limit) return;
      // Few lines name one, so few have to be parsed.
      const rule = line.includes(' -s ') ? parseRule(line) : undefined;
      const network = rule?.options.find(({ name }) => name === '-s')?.values[0];
      if (rule && network !== undefined && !nobody.test(network) && concerns(rule, ports))
        networks.add(network);
    }
  }
}

const nobody = /^(127\.|::1\b|0\.0\.0\.0\/0|::\/0|fe80:)/;

function concerns(rule: Rule, ports: readonly number[]): boolean {
  const protocol = optionValue(rule, '-p') ?? 'tcp';
  if (protocol !== 'tcp' && protocol !== '6') return false;
  const list = optionValue(rule, '--dport') ?? optionValue(rule, '--dports');
  return list === undefined || ports.some((port) => includes(list, port));
}

/** `22`, `80:90`, `22,80:90`, as iptables-save prints them. */
function includes(list: string, port: number): boolean {
  return list.split(',').some((range) => {
    const [first = '', last = first] = range.split(':');
    return Number(first) <= port && port <= Number(last);
  });
}
