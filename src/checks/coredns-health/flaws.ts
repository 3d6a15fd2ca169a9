import type { Flaw, Forward } from '../../coredns/forwards.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';

/** What CoreDNS of this version does not start with, though every line of it can be read. */
export function flawsOf(
  { refused = [], forwards }: Extract<LiveCorefile, { kind: 'read' }>,
  version: readonly number[] | undefined,
): readonly Flaw[] {
  if (version === undefined || !isBefore(version, [1, 9, 4])) return refused;
  return [...refused, ...forwards.flatMap((forward, index) => secondOf(forward, forwards.slice(0, index)))];
}

function secondOf({ block, file, directive }: Forward, earlier: readonly Forward[]): readonly Flaw[] {
  const first = earlier.find((each) => each.block === block);
  if (first === undefined) return [];
  const { line } = directive;
  const where = `line ${first.directive.line} of ${first.file ?? 'the Corefile'}`;
  const what = `a second forward besides the one in ${where}, which CoreDNS before 1.9.4 refuses`;
  return [{ file, line, reason: `${file === undefined ? '' : `${file}, `}line ${line}: ${what}` }];
}

function isBefore(version: readonly number[], other: readonly number[]): boolean {
  const at = other.findIndex((number, index) => number !== (version[index] ?? 0));
  return at >= 0 && (version[at] ?? 0) < (other[at] ?? 0);
}
