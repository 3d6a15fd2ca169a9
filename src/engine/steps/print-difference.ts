/**
 * What a value is and what it was expected to be, on one line. Of a text of several lines only the first
 * that differs; undefined and null stand for what is not there.
 */
export function printDifference(found: unknown, expected: unknown): string {
  if (typeof found === 'string' && typeof expected === 'string' && isLong(found, expected)) {
    const [foundLines, expectedLines] = [found.split('\n'), expected.split('\n')];
    const last = Math.max(foundLines.length, expectedLines.length);
    for (let line = 0; line < last; line += 1) {
      const [one, other] = [foundLines[line], expectedLines[line]];
      if (one !== other) return `line ${line + 1} is ${print(one)}, expected ${print(other)}`;
    }
  }
  return `is ${print(found)}, expected ${print(expected)}`;
}

function isLong(...texts: readonly string[]): boolean {
  return texts.some((text) => text.trimEnd().includes('\n'));
}

function print(value: unknown): string {
  if (value === undefined || value === null) return 'not there';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
