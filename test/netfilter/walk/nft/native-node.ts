import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { FirewallReading } from '../../../../src/netfilter/walk/reading.ts';
import type { End, Walk } from '../../../../src/netfilter/walk/walk.ts';
import { readingOf, walkOver } from '../node-of.ts';

/** What `nft -j list ruleset` printed: a file of fixtures/nft-tables. */
export function recordedTables(name: string): readonly unknown[] {
  const file = join(import.meta.dirname, '../../../../fixtures/nft-tables', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')).nftables;
}

/** A node without iptables, whose nft lists these objects. */
export function nodeWith(objects: readonly unknown[]): FirewallReading {
  return { ...readingOf({}), nft: { kind: 'present', objects } };
}

/** A table with one chain on a hook; other chains are declared by their rules. */
export function tableOn(
  hook: string,
  rules: readonly (readonly unknown[])[],
  { family = 'inet', type = 'filter', prio = 0, policy = 'accept', more = {} as More } = {},
): readonly unknown[] {
  const place = { family, table: 'mine' };
  return [
    { table: { family, name: 'mine', handle: 1 } },
    { chain: { ...place, name: 'base', handle: 1, type, hook, prio, policy } },
    ...rules.map((expr) => ({ rule: { ...place, chain: 'base', handle: 2, expr } })),
    ...Object.entries(more).flatMap(([chain, others]) => [
      { chain: { ...place, name: chain, handle: 3 } },
      ...others.map((expr) => ({ rule: { ...place, chain, handle: 4, expr } })),
    ]),
  ];
}

type More = Readonly<Record<string, readonly (readonly unknown[])[]>>;

export function walkNative(objects: readonly unknown[], packet: Packet): Walk {
  return walkOver(nodeWith(objects), packet);
}

/** For tests of what comes to one end. */
export function onlyEnd({ ends }: Walk): End {
  const [end] = ends;
  if (!end || ends.length > 1) throw new Error(`${ends.length} ends instead of one`);
  return end;
}

/** `CHAIN NUMBER`, or what else decided. */
export function decider({ decidedBy }: End): string {
  switch (decidedBy.kind) {
    case 'rule':
      return `${decidedBy.rule.chain} ${decidedBy.rule.number}`;
    case 'policy':
      return `policy of ${decidedBy.chain.chain}`;
    case 'nothing':
      return 'nothing';
    case 'kernel':
      return decidedBy.reason;
  }
}

export function toPort(packet: Packet, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Packet {
  return { ...packet, transport: { protocol, sourcePort: 40000, destinationPort: port } };
}
