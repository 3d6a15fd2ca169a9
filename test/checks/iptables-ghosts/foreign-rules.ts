import fc from 'fast-check';

/** A rule of somebody else, put into a table somewhere. */
export interface ForeignRule {
  readonly table: 'nat' | 'filter' | 'mangle';
  /** A built-in chain, or one of the foreign chains. */
  readonly chain: string;
  /** Where among the chain's rules, from 0 (first) to 1 (last). */
  readonly place: number;
  readonly text: string;
}

export const foreignChains = [
  'DOCKER',
  'DOCKER-USER',
  'ufw-user-input',
  'cali-FORWARD',
  'CILIUM_FORWARD',
  'CNI-3a1f0c2b4d5e6f708192a3b4',
  'KUBE-MY-RULES',
  'FLANNEL-FWD',
  'f2b-sshd',
] as const;

const builtIn = {
  nat: ['PREROUTING', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  mangle: ['PREROUTING', 'FORWARD', 'OUTPUT'],
} as const;

const rule = fc.oneof(
  fc.constantFrom(
    '-s 203.0.113.7/32 -j RETURN',
    '-j ACCEPT',
    '-p tcp -m tcp --dport 22 -m comment --comment "ssh -j KUBE-SERVICES" -j ACCEPT',
    '-m comment --comment "kubernetes service portals" -j ACCEPT',
    '-m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -j ACCEPT',
    '-m comment --comment -j -j RETURN',
    '-m comment --comment "it\\\'s \\"quoted\\" -X KUBE-SERVICES" -j RETURN',
    '-m mark --mark 0x20000/0x20000 -j ACCEPT',
    '-d 10.43.0.0/16',
  ),
  fc.constantFrom(...foreignChains).map((chain) => `-m conntrack --ctstate NEW -j ${chain}`),
);

/** Up to twenty rules of somebody else in any table, doubles among them. */
export const foreignRules: fc.Arbitrary<readonly ForeignRule[]> = fc.array(
  fc.constantFrom('nat' as const, 'filter' as const, 'mangle' as const).chain((table) =>
    fc.record({
      table: fc.constant(table),
      chain: fc.constantFrom<string>(...builtIn[table], ...foreignChains),
      place: fc.double({ min: 0, max: 1, noNaN: true }),
      text: rule,
    }),
  ),
  { maxLength: 20 },
);

/** A dump with all foreign chains in each table, and the rules in their places. */
export function withForeign(rules: readonly ForeignRule[]): (dump: string) => string {
  return (dump) => {
    let lines = dump
      .split('\n')
      .flatMap((line) =>
        /^\*\w/.test(line) ? [line, ...foreignChains.map((chain) => `:${chain} - [0:0]`)] : [line],
      );
    for (const each of rules) lines = insert(lines, each);
    return lines.join('\n');
  };
}

function insert(lines: readonly string[], { table, chain, place, text }: ForeignRule): string[] {
  const start = lines.indexOf(`*${table}`);
  if (start === -1) return [...lines];
  const commit = lines.indexOf('COMMIT', start);
  const own = [...lines.keys()].filter((i) => i > start && i < commit && isIn(lines[i] ?? '', chain));
  const at = own[Math.round(place * own.length)] ?? (own.at(-1) ?? commit - 1) + 1;
  return [...lines.slice(0, at), `[3:180] -A ${chain} ${text}`, ...lines.slice(at)];
}

function isIn(line: string, chain: string): boolean {
  return line.replace(/^\[\d+:\d+\] /, '').startsWith(`-A ${chain} `);
}
