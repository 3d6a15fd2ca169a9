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

/** Where one of them stands in a custom file, that one is too much. */
function secondOf(second: Forward, earlier: readonly Forward[]): readonly Flaw[] {
  const first = earlier.find(({ block }) => block === second.block);
  if (first === undefined) return [];
  const [extra, other] = second.file === undefined ? [first, second] : [second, first];
  const place = `line ${other.directive.line} of ${other.file ?? 'the Corefile'}`;
  const { file } = extra;
  const { line } = extra.directive;
  const reason = `${file === undefined ? '' : `${file}, `}line ${line}: a second forward besides the one in ${place}, which CoreDNS before 1.9.4 refuses`;
  return [{ file, line, reason }];
}

function isBefore(version: readonly number[], other: readonly number[]): boolean {
  const at = other.findIndex((number, index) => number !== (version[index] ?? 0));
  return at >= 0 && (version[at] ?? 0) < (other[at] ?? 0);
}
