import type { Complaint, ExpandedBlock, Placed } from './expand.ts';
import { defaultPort, zonesOf } from './zones.ts';

/** A zone that a block serves, at which port. */
export interface Served {
  readonly zone: string;
  readonly port: string;
  readonly transport: string;
}

export type CheckedBlocks =
  | { readonly kind: 'fit'; readonly served: ReadonlyMap<ExpandedBlock, readonly Served[]> }
  | ({ readonly kind: 'broken' } & Complaint);

/** What CoreDNS checks of all server blocks together before it starts: names, ports, and that no two are alike. */
export function checkBlocks(blocks: readonly ExpandedBlock[]): CheckedBlocks {
  const served = new Map<ExpandedBlock, readonly Served[]>();
  for (const block of blocks) {
    const of: Served[] = [];
    for (const key of block.keys) {
      const zones = zonesOf(key.text);
      if (zones.kind === 'invalid') return broken(key, zones.reason);
      const port = zones.port ?? defaultPort(zones.transport) ?? '';
      if (!(Number(port) >= 0 && Number(port) <= 65535)) return broken(key, `address ${port}: invalid port`);
      of.push(...zones.names.map((zone) => ({ zone, port, transport: zones.transport })));
    }
    served.set(block, of);
  }
  return findOverlap(blocks, served) ?? findRepeated(blocks) ?? { kind: 'fit', served };
}

interface Registered extends Served {
  /** The address that `bind` names; empty: all. */
  readonly address: string;
}

function findOverlap(
  blocks: readonly ExpandedBlock[],
  served: ReadonlyMap<ExpandedBlock, readonly Served[]>,
): ({ readonly kind: 'broken' } & Complaint) | undefined {
  const all = new Map<string, Registered>();
  for (const block of blocks) {
    for (const each of served.get(block) ?? []) {
      for (const address of boundTo(block)) {
        const own = { ...each, address };
        const key = block.keys[0];
        if (all.has(textOf(own))) return broken(key, `cannot serve ${textOf(own)} - it is already defined`);
        const overlap = [...all.values()].find(
          (other) =>
            textOf({ ...other, address: '' }) === textOf({ ...own, address: '' }) &&
            (address === '' || other.address === ''),
        );
        if (overlap !== undefined)
          return broken(
            key,
            `cannot serve ${textOf(own)} - zone overlap listener capacity with ${textOf(overlap)}`,
          );
        // A block with `view` answers some clients only, and takes nothing away from others.
        if (!block.plugins.has('view')) all.set(textOf(own), own);
      }
    }
  }
  return undefined;
}

/** Plugins that refuse to be there twice. CoreDNS before 1.9.4 has `forward` among them. */
const onlyOnce = new Set(
  'cache dnssec errors hosts kubernetes loop nsid pprof prometheus ready tsig view'.split(' '),
);

function findRepeated(
  blocks: readonly ExpandedBlock[],
): ({ readonly kind: 'broken' } & Complaint) | undefined {
  for (const { names } of blocks) {
    const again = names.find(
      ({ text }, i) => onlyOnce.has(text) && names.slice(0, i).some((word) => word.text === text),
    );
    if (again !== undefined)
      return broken(again, `plugin/${again.text}: this plugin can only be used once per Server Block`);
  }
  return undefined;
}

/** By the words of `bind`: addresses, or interfaces, of which only the name is known here. */
function boundTo({ plugins, names }: ExpandedBlock): readonly string[] {
  const words = plugins.get('bind');
  if (words === undefined) return [''];
  const hosts: string[] = [];
  let depth = 0;
  for (const word of words) {
    if (word.text === '{') depth++;
    else if (word.text === '}') depth--;
    else if (depth === 0 && !names.includes(word)) hosts.push(word.text);
  }
  return [...new Set(hosts)];
}

function textOf({ transport, zone, port, address }: Registered): string {
  return `${transport}://${zone}:${port}${address === '' ? '' : ` on ${address}`}`;
}

function broken(key: Placed | undefined, reason: string): { readonly kind: 'broken' } & Complaint {
  return { kind: 'broken', file: key?.file, line: key?.line ?? 1, reason };
}
