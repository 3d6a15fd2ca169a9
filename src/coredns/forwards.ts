import { type Corefile, type Directive, parseCorefile, type ServerBlock } from './corefile.ts';
import { type Complaint, type ExpandedBlock, expandImports } from './expand.ts';
import { readStanzas, type Stanza } from './forward-stanza.ts';
import { isKnownPlugin } from './plugins.ts';
import { isShadowed, reachOf, zonesAsked } from './reach.ts';
import { checkBlocks, type Served } from './server-blocks.ts';
import type { UpstreamName } from './upstream-name.ts';
import { environment, wordsOf } from './words.ts';
import { isReverse, namesOf, zonesOf } from './zones.ts';

export type { UpstreamName } from './upstream-name.ts';

/** Files that an `import` may name, by their path as CoreDNS sees it, e.g. `/etc/coredns/custom/a.override`. */
export type CorefileFiles = ReadonlyMap<string, string>;

/** A `forward` of a server block with all imports put in, in the order in which CoreDNS asks them. */
export interface Forward {
  /** The keys of the server block it belongs to, e.g. `.:53`. */
  readonly block: ServerBlock;
  /**
   * The zone that it forwards, e.g. `.`, without the dot at its end otherwise. In a block for `example.org`
   * a `forward .` gets to see no other names: that is `example.org`; where a block has several such zones,
   * there is a Forward for each.
   */
  readonly from: string;
  readonly upstreams: readonly UpstreamName[];
  readonly tlsServerName: string | undefined;
  /** `policy`, `max_fails`, ... as written; `next` makes later forwards of the same zone reachable. */
  readonly options: readonly Directive[];
  /** Where it is written: undefined the Corefile itself, else the path of the file that was imported. */
  readonly file: string | undefined;
  readonly directive: Directive;
  /**
   * An earlier forward of this block answers for all that this one is for: it is never asked. CoreDNS
   * before 1.9.4 refuses the second one outright.
   */
  readonly isShadowed: boolean;
}

export type ResolvedForwards =
  | {
      readonly kind: 'resolved';
      readonly forwards: readonly Forward[];
      /** Imports that name a file which is not known here, and other doubts; a line each. */
      readonly doubts: readonly string[];
      /**
       * What CoreDNS 1.12 does not start with, and a later or another build may: a plugin or an option that it
       * does not have, a name or HTTPS for a server. In the words of `doubts`, where these are among the others.
       */
      readonly refused?: readonly Flaw[];
    }
  /** A file that is imported does not parse, or two blocks serve the same zone: CoreDNS would not start. */
  | {
      readonly kind: 'broken';
      /** With file and line. */
      readonly reason: string;
      /** In which file: undefined the Corefile itself. */
      readonly file?: string | undefined;
      readonly line?: number;
    };

export interface Flaw {
  /** Undefined: in the Corefile itself. */
  readonly file: string | undefined;
  readonly line: number;
  /** With file and line. */
  readonly reason: string;
}

/** Every forward of a Corefile, with `import` of files and snippets put in where they stand. */
export function resolveForwards(corefile: Corefile, files: CorefileFiles): ResolvedForwards {
  const expanded = expandImports(corefile.text, files);
  if (expanded.kind === 'broken') return brokenBy(expanded);
  const blocks = expanded.blocks.filter(({ keys }) => keys.length > 0);
  const checked = checkBlocks(blocks);
  if (checked.kind === 'broken') return brokenBy(checked);
  const forwards: Forward[] = [];
  const doubts = expanded.doubts.map(placed);
  const refused = unknownPlugins(expanded.blocks);
  for (const block of blocks) {
    const read = readStanzas(block.plugins.get('forward') ?? []);
    if (read.kind === 'broken') return brokenBy(read);
    refused.push(...read.refused);
    const written = blockAsWritten(block, corefile, files);
    const reach = reachOf(block, checked.served);
    for (const [i, stanza] of read.stanzas.entries()) {
      const asked = zonesAsked(stanza, reach);
      if (asked.length === 0) doubts.push(placed(neverAsked(stanza)));
      const earlier = read.stanzas.slice(0, i);
      forwards.push(
        ...asked.map((zone) => forwardOf(stanza, written, zone, isShadowed(stanza, earlier, zone, reach))),
      );
    }
  }
  const flaws = refused.map((complaint) => ({ ...complaint, reason: placed(complaint) }));
  return {
    kind: 'resolved',
    forwards,
    doubts: [...doubts, ...flaws.map(({ reason }) => reason)],
    refused: flaws,
  };
}

/**
 * Whether a `forward .` in a new file `path` would be asked: whether the block that serves the root at
 * port 53 imports it ahead of every forward of the root, in CoreDNS' own order of the files of a glob, and no
 * other block does.
 */
export function wouldBeAsked(corefile: Corefile, files: CorefileFiles, path: string): boolean {
  const resolved = resolveForwards(corefile, new Map([...files, [path, 'forward . 192.0.2.1\n']]));
  if (resolved.kind === 'broken') return false;
  const root = resolved.forwards.filter(({ block, from }) => from === '.' && servesRoot(block));
  const [first] = root;
  if (first === undefined || first.file !== path || root.some(({ block }) => block !== first.block))
    return false;
  // Another block may import it, too: it would take that one's names away from its servers.
  return resolved.forwards.every(({ file, block }) => file !== path || block === first.block);
}

/** The text with the upstreams of one forward of it replaced, and no other byte changed. */
export function withUpstreams(corefile: Corefile, forward: Forward, addresses: readonly string[]): string {
  const words = forward.directive.args.slice(1);
  const last = words.at(-1);
  if (words.some(({ text, start, end }) => wordsOf(corefile.text.slice(start, end))[0]?.text !== text))
    throw new Error('the forward is not of this text');
  if (last === undefined || addresses.length === 0) throw new Error('a forward without servers');
  const unfit = addresses.find((address) => !/^[^\s"#{}]+$/.test(address));
  if (unfit !== undefined) throw new Error(`no address: ${unfit}`);
  let text = corefile.text;
  for (const [i, word] of [...words.entries()].reverse()) {
    const written = text.slice(word.start, word.end);
    const isLast = i === words.length - 1;
    const own = isLast ? addresses.slice(i) : addresses.slice(i, i + 1);
    const [first, ...more] = own;
    const before = text.slice(0, word.start);
    const after = text.slice(word.end);
    if (first === undefined) {
      // A space must stay where the next word follows at once, as it may behind a quote.
      text = `${/^(\s|$)/.test(after) ? before.replace(/[^\S\n]+$/, '') : before}${after}`;
      continue;
    }
    const isQuoted = written.startsWith('"');
    const quoted = [first, ...more].map((address) => (isQuoted ? `"${address}"` : address)).join(' ');
    text = `${before}${quoted}${after}`;
  }
  return text;
}

/** The zone that `kubernetes` serves, e.g. `cluster.local`; undefined when no block has one. */
export function clusterDomain(corefile: Corefile): string | undefined {
  for (const block of corefile.blocks.filter(({ isSnippet }) => !isSnippet)) {
    const directive = withSnippets(block.directives, corefile).find(({ name }) => name === 'kubernetes');
    if (directive === undefined) continue;
    const words = directive.args.length > 0 ? directive.args.map(({ text }) => text) : block.keys;
    const zone = words.flatMap((text) => namesOf(text) ?? []).find((name) => !isReverse(name));
    if (zone !== undefined) return undotted(zone);
  }
  return undefined;
}

function withSnippets(directives: readonly Directive[], { blocks }: Corefile): readonly Directive[] {
  return directives.flatMap((directive) => {
    const key = `(${directive.args[0]?.text})`;
    const snippet = blocks.find(({ isSnippet, keys }) => isSnippet && keys[0] === key);
    return directive.name === 'import' && snippet !== undefined ? snippet.directives : [directive];
  });
}

function neverAsked({ file, directive, from }: Stanza): Complaint {
  const reason = `forward ${undotted(from)} is never asked: its block gets no such questions`;
  return { file, line: directive.line, reason };
}

function forwardOf(stanza: Stanza, block: ServerBlock, zone: string, isHidden: boolean): Forward {
  return {
    block,
    from: undotted(zone),
    upstreams: stanza.upstreams,
    tlsServerName: stanza.tlsServerName,
    options: stanza.options,
    file: stanza.file,
    directive: stanza.directive,
    isShadowed: isHidden,
  };
}

/** As the parser of texts has it, for who wants to know what else is in there. */
function blockAsWritten({ keys }: ExpandedBlock, corefile: Corefile, files: CorefileFiles): ServerBlock {
  const [first] = keys;
  const names = keys.map(({ text }) => text);
  const text = first?.file === undefined ? undefined : files.get(first.file);
  const parsed = text === undefined ? undefined : parseCorefile(text);
  const blocks =
    text === undefined ? corefile.blocks : parsed?.kind === 'parsed' ? parsed.corefile.blocks : [];
  const written = blocks.find((block) => block.line === first?.line && String(block.keys) === String(names));
  return written ?? { keys: names, isSnippet: false, directives: [], line: first?.line ?? 1 };
}

function servedBy({ keys }: ServerBlock): readonly Served[] {
  return keys.flatMap((key) => {
    const zones = zonesOf(key);
    if (zones.kind === 'invalid') return [];
    return zones.names.map((zone) => ({ zone, port: zones.port ?? '', transport: zones.transport }));
  });
}

function servesRoot(block: ServerBlock): boolean {
  return servedBy(block).some(
    ({ zone, port, transport }) => zone === '.' && transport === 'dns' && (port === '53' || port === ''),
  );
}

function unknownPlugins(blocks: readonly ExpandedBlock[]): Complaint[] {
  return blocks
    .flatMap(({ names }) => names)
    .filter(({ text }) => !isKnownPlugin(text) && !environment.test(text))
    .map(({ file, line, text }) => ({ file, line, reason: `there is no plugin "${text}"` }));
}

function brokenBy(complaint: Complaint): ResolvedForwards {
  const { file, line } = complaint;
  return { kind: 'broken', file, line, reason: placed(complaint) };
}

function placed({ file, line, reason }: Complaint): string {
  return file === undefined ? `line ${line}: ${reason}` : `${file}, line ${line}: ${reason}`;
}

function undotted(name: string): string {
  return name === '.' ? name : name.slice(0, -1);
}
