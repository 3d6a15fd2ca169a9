/**
 * What somebody else has written, made safe for a terminal: a control character could move the cursor, hide a
 * line or turn its direction, and so make a plan look like another one. Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}
