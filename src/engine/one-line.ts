/** One short line of what anybody may have written (names, a Corefile, a log): it goes to a terminal. */
export function oneLine(text: string, longest = 120): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
