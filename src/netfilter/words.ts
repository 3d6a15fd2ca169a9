/**
 * Words of a rule as iptables-save prints them: separated by spaces; a string with anything but
 * letters, digits, `_` and `-` is in double quotes, with `"`, `\` and `'` behind a backslash
 * (libxtables, xtables_save_string).
 */

/** Splits a rule line; quotes and escapes are resolved. Undefined when a quote does not end. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] === ' ') {
      at++;
      continue;
    }
    if (line[at] === '"') {
      const end = closingQuote(line, at + 1);
      if (end === -1) return undefined;
      const quoted = line.slice(at + 1, end);
      words.push(quoted.includes('\\') ? quoted.replace(/\\(.)/g, '$1') : quoted);
      at = end + 1;
      continue;
    }
    const space = line.indexOf(' ', at);
    const end = space === -1 ? line.length : space;
    words.push(line.slice(at, end));
    at = end + 1;
  }
  return words;
}

/** How iptables-save prints a free string such as a comment. */
export function quoteString(value: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return value;
  return `"${value.replace(/["\\']/g, '\\$&')}"`;
}

function closingQuote(line: string, from: number): number {
  let at = from;
  while (at < line.length) {
    if (line[at] === '"') return at;
    at += line[at] === '\\' ? 2 : 1;
  }
  return -1;
}
