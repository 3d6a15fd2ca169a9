import type { BaseChain, Branch, CompiledRule, Flight, Hook } from '../flight.ts';
import type { NetworkReading } from '../reading.ts';
import type { ChainRef } from '../walk.ts';
import { unwrap } from './json.ts';
import type { NftChain, NftHook, NftTable } from './ruleset.ts';
import { tableRules } from './table-rules.ts';

/**
 * Chains on a link (`netdev`, ingress and egress) or within a bridge are not walked. Where one of them
 * could stop packets, those that come by its links are in doubt.
 */
export function linkLevelChains(tables: readonly NftTable[], network: NetworkReading): readonly BaseChain[] {
  return tables.filter(mayStop).flatMap((table) =>
    [...table.chains.values()].flatMap(({ name, hook }) => {
      const side = hook && sideOf(table, hook);
      if (!hook || !side) return [];
      const { refOf } = tableRules(table, 'ipv4', network);
      return [doubtfulChain(refOf(name), side, (link) => concerns(table, hook, link, network))];
    }),
  );
}

type Side = 'in' | 'out';

function sideOf({ family }: NftTable, { hook }: NftHook): Side | undefined {
  if (hook === 'ingress') return 'in';
  if (hook === 'egress') return 'out';
  if (family !== 'bridge') return undefined;
  return hook === 'output' || hook === 'postrouting' ? 'out' : 'in';
}

const stopping = new Set(['drop', 'reject', 'queue', 'fwd', 'dup', 'xt', 'vmap', 'synproxy', 'tproxy']);

function mayStop({ chains }: NftTable): boolean {
  return [...chains.values()].some((chain) => chain.hook?.policy === 'drop' || hasStop(chain));
}

function hasStop({ rules }: NftChain): boolean {
  return rules.some(({ expressions }) => expressions.some((each) => stopping.has(unwrap(each)?.[0] ?? '')));
}

/** Whether packets of this link come through the chain; the ports of a bridge lead to it. */
function concerns(
  { family }: NftTable,
  { devices }: NftHook,
  link: string,
  network: NetworkReading,
): boolean {
  const { links } = network;
  if (!links) return true;
  if (family === 'bridge') return links.some(({ name, kind }) => name === link && kind === 'bridge');
  return devices.some((device) => {
    const port = links.find(({ name }) => name === device);
    return device === link || port?.master === link;
  });
}

function doubtfulChain(ref: ChainRef, side: Side, isConcerned: (link: string) => boolean): BaseChain {
  const hook: Hook = side === 'in' ? 'prerouting' : 'postrouting';
  const reason = `chain ${ref.chain} of table ${ref.table} works on the link, where packets are not walked`;
  const assumption = { rule: { ...ref, number: 0, text: reason }, kind: 'unknown', reason } as const;
  const rule: CompiledRule = {
    ref: assumption.rule,
    follow(flight) {
      const on: Branch = { flight, next: { kind: 'continue' } };
      if (!comesBy(flight)) return [on];
      return [
        { ...on, assumption },
        { flight, next: { kind: 'drop' }, assumption },
      ];
    },
  };
  return {
    ref,
    hook,
    type: 'filter',
    priority: side === 'in' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER,
    policy: 'accept',
    rules: () => [rule],
    refOf: (chain) => ({ ...ref, chain }),
  };

  function comesBy({ inLink, outLink, inLinkUnknown, outLinkUnknown }: Flight): boolean {
    const [link, isUnknown] = side === 'in' ? [inLink, inLinkUnknown] : [outLink, outLinkUnknown];
    return isUnknown || (link !== undefined && isConcerned(link));
  }
}
