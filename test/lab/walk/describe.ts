import type { End } from '../../../src/netfilter/walk/walk.ts';
import type { Shrunk } from './shrink.ts';

/** All that it takes to understand a disagreement at once. */
export function describeDisagreement({ rules, probe, walk, sighting, still }: Shrunk): string {
  const dumps = (['legacy', 'nft'] as const).flatMap((backend) =>
    (['ipv4', 'ipv6'] as const).map(
      (family) => [`iptables-${backend} ${family}`, rules.iptables[backend][family]] as const,
    ),
  );
  return [
    ...(still ? [] : ['(only in company of the other packets, or by chance)']),
    `--- packet ${JSON.stringify(probe.packet)}`,
    `--- sent ${probe.send.kind === 'made' ? JSON.stringify(probe.send) : 'as a frame'}${probe.before.length > 0 ? `, after ${probe.before.length} others` : ''}`,
    `--- observed ${sighting.fate} ${JSON.stringify(sighting.at ?? {})}`,
    `--- walk ${walk.verdict}`,
    ...walk.ends.flatMap(describeEnd),
    ...[...dumps, ['native', rules.native] as const, ['ipset', rules.sets] as const].flatMap(
      ([name, lines]) => {
        const shown = withoutEmptyTables(lines);
        return shown.length === 0 ? [] : [`--- ${name}`, ...shown];
      },
    ),
  ].join('\n');
}

function describeEnd(end: End): string[] {
  return [
    `end: ${end.fate} ${end.way ?? ''} ${JSON.stringify(end.packet)}`,
    `  decided by ${JSON.stringify(end.decidedBy)}`,
    ...end.path.map(
      ({ rule, action }) =>
        `  ${rule.backend} ${rule.family} ${rule.table} ${rule.chain} ${rule.number}: ${action} | ${rule.text}`,
    ),
    ...end.assumptions.map(({ rule, kind, reason }) => `  supposed (${kind}) ${reason} | ${rule.text}`),
  ];
}

function withoutEmptyTables(lines: readonly string[]): readonly string[] {
  const text = lines.join('\n');
  const isEmpty = (table: string) => !/^-A|^:\S+ DROP/m.test(table);
  return text
    .split(/(?<=^COMMIT)\n/m)
    .filter((table) => !(table.startsWith('*') && isEmpty(table)))
    .join('\n')
    .split('\n')
    .filter((line) => line !== '');
}
