/** One rule that an owner writes, as iptables-save prints it, and the versions that write it. */
export interface OwnedLine {
  readonly table: 'nat' | 'filter';
  readonly versions: string;
  readonly line: string;
}

/** Lines of a table: each text is `versions: chain and what follows`. */
export function ownedLines(table: OwnedLine['table'], text: string): readonly OwnedLine[] {
  return text
    .trim()
    .split('\n')
    .map((entry) => {
      const [, versions = '', line = ''] = /^\s*([^:]+): (.+)$/.exec(entry) ?? [];
      if (line === '') throw new Error(`not "versions: CHAIN ...": ${entry}`);
      return { table, versions, line: `-A ${line}` };
    });
}
