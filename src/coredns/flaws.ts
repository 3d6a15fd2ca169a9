import type { Flaw, Forward } from './forwards.ts';
import { takesSecondForward, type Version } from './version.ts';

/** What CoreDNS of this version does not start with, though every line of it can be read. */
export function flawsOf(
  { refused = [], forwards }: { readonly refused?: readonly Flaw[]; readonly forwards: readonly Forward[] },
  version: Version | undefined,
): readonly Flaw[] {
  if (takesSecondForward(version)) return refused;
  const seconds = forwards.flatMap((forward, index) => secondOf(forward, forwards.slice(0, index)));
  // One that is for several zones stands among the forwards several times.
  return [...refused, ...new Map(seconds.map((flaw) => [flaw.reason, flaw])).values()];
}

/** Where one of them stands in a custom file, that one is too much. */
function secondOf(second: Forward, earlier: readonly Forward[]): readonly Flaw[] {
  const first = earlier.find(
    ({ block, directive }) => block === second.block && directive !== second.directive,
  );
  if (first === undefined) return [];
  const [extra, other] = second.file === undefined ? [first, second] : [second, first];
  const place = `line ${other.directive.line} of ${other.file ?? 'the Corefile'}`;
  const { file } = extra;
  const { line } = extra.directive;
  const reason = `${file === undefined ? '' : `${file}, `}line ${line}: a second forward besides the one in ${place}, which CoreDNS before 1.9.4 refuses`;
  return [{ file, line, reason }];
}
