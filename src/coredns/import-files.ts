/** The files that an `import` stands for. */
export type ImportedFiles =
  | { readonly kind: 'files'; readonly files: readonly { readonly path: string; readonly text: string }[] }
  | { readonly kind: 'broken'; readonly reason: string }
  /** It looks where nothing is known of. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Where CoreDNS' own Corefile lies in its pod. */
const corefilePath = '/etc/coredns/Corefile';
/** Folders that hold nothing but the keys of a ConfigMap: what is not among the files is not there. */
const knownFolders = ['/etc/coredns', '/etc/coredns/custom'];

export function filesOf(
  pattern: string,
  importedFrom: string | undefined,
  files: ReadonlyMap<string, string>,
): ImportedFiles {
  const from = importedFrom ?? corefilePath;
  const path = pattern.startsWith('/') ? pattern : clean(`${folderOf(from)}/${pattern}`);
  const count = (char: string) => path.split(char).length - 1;
  if (count('*') > 1 || count('?') > 1 || (path.includes('[') && path.includes(']')))
    return { kind: 'broken', reason: `one "*" or "?" was expected in "${path}", not more, and no "[...]"` };
  const isGlob = /[*?[\]]/.test(path);
  const expression = regExpOf(path);
  if (expression === undefined) return { kind: 'broken', reason: `"${path}" is no pattern of files` };
  const found = [...files].filter(([name]) => expression.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const isKnown = [...knownFolders, ...[...files.keys()].map(folderOf)].includes(folderOf(clean(path)));
  if (isGlob && isKnown && expression.test(`${folderOf(path)}/..data`))
    return { kind: 'broken', reason: `"${path}" is also for the folder "..data", which cannot be imported` };
  if (found.length > 0) return { kind: 'files', files: found.map(([name, text]) => ({ path: name, text })) };
  if (!isKnown) return { kind: 'unknown', reason: `what is imported as "${pattern}" is not known here` };
  return isGlob
    ? { kind: 'files', files: [] }
    : { kind: 'broken', reason: `the file to import is not there: ${pattern}` };
}

/** Of a pattern as Go's filepath.Match knows it, without classes. */
function regExpOf(pattern: string): RegExp | undefined {
  let expression = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    if (char === '[') return undefined;
    if (char === '\\' && i + 1 === pattern.length) return undefined;
    if (char === '*') expression += '[^/]*';
    else if (char === '?') expression += '[^/]';
    else expression += RegExp.escape(char === '\\' ? pattern.charAt(++i) : char);
  }
  return new RegExp(`^${expression}$`, 'su');
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
