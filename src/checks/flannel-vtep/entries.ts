import { repaired } from '../../engine/judged.ts';
import type { Overlay } from '../../facts/overlay.ts';
import { type Judge, nameOf, problem } from './seen.ts';

/** Flannel writes these once, when a node comes or changes; who changed them behind its back wins. */
export const judgeEntries: Judge = (seen) => {
  const { overlay, peer } = seen;
  const { mac, tunnelAddress } = peer;
  if (mac === undefined || tunnelAddress === undefined) return [];
  const neighbour = overlay.neighbours?.get(peer.inner) ?? null;
  const ends = overlay.fdb?.get(mac) ?? [];
  const steps = [
    ...(overlay.neighbours !== undefined && neighbour !== mac
      ? [entry(overlay, { table: 'neighbour', key: peer.inner, was: neighbour, value: mac })]
      : []),
    ...(overlay.fdb !== undefined && !ends.includes(tunnelAddress)
      ? [entry(overlay, { table: 'fdb', key: mac, was: ends[0] ?? null, value: tunnelAddress })]
      : []),
  ];
  if (steps.length === 0) return [];
  const evidence = steps.map(({ table, key, was, value }) => ({
    source: table === 'fdb' ? `bridge fdb, ${overlay.link}` : `ip neigh, ${overlay.link}`,
    observed: `${key} → ${was ?? 'nothing'}`,
    expected: `${value}, as the node announces`,
  }));
  const stale = steps.map(({ key, was, value }) => `${key} → ${was ?? 'nothing'}, not ${value}`).join('; ');
  const message = `${overlay.link} sends packets for ${nameOf(seen)} to the wrong place: ${stale}`;
  return [repaired(problem(seen, 'vtep-stale-entry', message, evidence), steps)];
};

function entry(
  { link }: Overlay,
  change: { table: 'neighbour' | 'fdb'; key: string; was: string | null; value: string },
) {
  return { kind: 'link-entry' as const, link, ...change };
}
