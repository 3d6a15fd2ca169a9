import { splitWords } from '../../words.ts';
import type { IpSet } from '../reading.ts';

/** Reads what `ipset save` prints. Undefined when it is not that. */
export function parseIpsetSave(text: string): ReadonlyMap<string, IpSet> | undefined {
  const sets = new Map<string, IpSet & { readonly entries: (readonly string[])[] }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [command, name, word, ...rest] = splitWords(line) ?? [];
    if (name === undefined || word === undefined) return undefined;
    if (command === 'create') {
      const family = rest[rest.indexOf('family') + 1] === 'inet6' ? 'ipv6' : 'ipv4';
      sets.set(name, { name, type: word, family, options: rest, entries: [] });
    } else if (command === 'add') {
      const set = sets.get(name);
      if (!set) return undefined;
      set.entries.push([word, ...rest]);
    } else return undefined;
  }
  return sets;
}
