/** `a`, `a and b`, `a, b and c`; of more than `most` the first: `a, b and 7 others`. */
export function listed(words: readonly string[], most = Number.POSITIVE_INFINITY): string {
  if (words.length > most) return `${words.slice(0, most).join(', ')} and ${words.length - most} others`;
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
