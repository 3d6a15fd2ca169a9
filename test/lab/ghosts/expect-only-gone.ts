import { expect } from 'vitest';
import type { Backend } from '../node/ruleset-text.ts';
import type { NodeSnapshot } from '../node/take-snapshot.ts';

/**
 * Everything of the firewall is as it was, but for the lines of one backend that name a ghost.
 * Those must have been there, and be gone.
 */
export function expectOnlyGone(
  before: NodeSnapshot,
  after: NodeSnapshot,
  { backend, ghosts = /KUBE-/ }: { backend: Backend; ghosts?: RegExp },
): void {
  const [ghostly, other] = backend === 'legacy' ? [legacyOf, nftOf] : [nftOf, legacyOf];
  expect(ghostly(after)).toEqual(ghostly(before).map((dump) => without(dump, ghosts)));
  expect(ghostly(after)).not.toEqual(ghostly(before));
  expect(other(after)).toEqual(other(before));
  if (backend === 'legacy') expect(after.nftRuleset).toBe(before.nftRuleset);
  expect(after.legacyTables).toEqual(before.legacyTables);
  expect(after.legacyTables6).toEqual(before.legacyTables6);
}

/** Nothing of the firewall has changed; connections come and go. */
export function expectUnchanged(before: NodeSnapshot, after: NodeSnapshot): void {
  const { conntrack: _before, ...rules } = before;
  expect(after).toMatchObject(rules);
}

function legacyOf({ legacyIpv4, legacyIpv6 }: NodeSnapshot): string[] {
  return [legacyIpv4, legacyIpv6];
}

function nftOf({ nftIpv4, nftIpv6 }: NodeSnapshot): string[] {
  return [nftIpv4, nftIpv6];
}

function without(dump: string, ghosts: RegExp): string {
  return dump
    .split('\n')
    .filter((line) => !ghosts.test(line))
    .join('\n');
}
