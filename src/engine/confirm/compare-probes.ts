import type { ProbeResult } from '../journal.ts';

/**
 * What passed before a change and does not now, a line each. What did not pass before cannot fail.
 * Of SSH it also counts that the rules may lose a connection where they could not before; what was known
 * of a whole, such as `nft`, was known of its parts.
 */
export function compareProbes(
  before: readonly ProbeResult[],
  after: readonly ProbeResult[],
): readonly string[] {
  return before
    .filter(({ passed }) => passed)
    .flatMap((earlier) => {
      const now = after.find(({ probe }) => probe === earlier.probe);
      if (now === undefined) return [`${earlier.probe}: not looked at again`];
      if (!now.passed) return [`${now.probe}: ${now.detail}; before: ${earlier.detail}`];
      const isKnown = (hook: string) =>
        (earlier.mayLose ?? []).some((known) => hook === known || hook.startsWith(`${known} `));
      const worse = (now.mayLose ?? []).filter((hook) => !isKnown(hook));
      return worse.map((hook) => `${now.probe}: ${hook} may lose new connections, which it could not before`);
    });
}
