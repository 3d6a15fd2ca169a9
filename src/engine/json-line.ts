/**
 * JSON in plain ASCII. The host writes what it is given byte by byte, as dumps need it; this way no
 * character of a message is lost whatever reads it back.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
