import type { Directive, Word } from './corefile.ts';
import { Dispenser, Unfit } from './dispenser.ts';
import type { Complaint, Placed } from './expand.ts';
import { readOption } from './forward-options.ts';
import { readUpstream, type UpstreamName } from './upstream-name.ts';
import { namesOf } from './zones.ts';

/** One `forward`, as the plugin reads its words. */
export interface Stanza {
  /** With the dot at its end. */
  readonly from: string;
  readonly except: readonly string[];
  readonly upstreams: readonly UpstreamName[];
  readonly tlsServerName: string | undefined;
  /** Some answers of its servers make CoreDNS ask the next forward. */
  readonly hasNext: boolean;
  readonly file: string | undefined;
  readonly directive: Directive;
  readonly options: readonly Directive[];
}

export type ReadStanzas =
  | {
      readonly kind: 'read';
      readonly stanzas: readonly Stanza[];
      /** What CoreDNS 1.12 does not start with, and later releases may. */
      readonly refused: readonly Complaint[];
    }
  | ({ readonly kind: 'broken' } & Complaint);

const mostUpstreams = 15;

/** All words of the plugin `forward` in one server block. */
export function readStanzas(all: readonly Placed[]): ReadStanzas {
  const words = new Dispenser(all);
  const refused: Complaint[] = [];
  const stanzas: Stanza[] = [];
  try {
    for (let name = words.next(); name !== undefined; name = words.next())
      stanzas.push(readStanza(words, name, refused));
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return { kind: 'broken', ...complaint(error.at, error.message) };
  }
  return { kind: 'read', stanzas, refused };
}

function readStanza(words: Dispenser, name: Placed, refused: Complaint[]): Stanza {
  const fromWord = words.one(name, 'a zone');
  const [from] = namesOf(fromWord.text) ?? [];
  if (from === undefined) throw new Unfit(fromWord, `a zone was expected, not "${fromWord.text}"`);
  const to = words.upTo('{');
  if (to.length === 0) throw new Unfit(fromWord, `a server was expected behind "${fromWord.text}"`);
  const upstreams = readUpstreams(to, refused);
  const body = words.opens() ? readOptions(words, refused) : undefined;
  const options = body ?? [];
  const serverNames = upstreams.flatMap((each) => (each.kind === 'address' ? (each.serverName ?? []) : []));
  return {
    from,
    except: valuesOf(options, 'except').flatMap((text) => namesOf(text) ?? []),
    upstreams,
    tlsServerName: valuesOf(options, 'tls_servername').at(-1) ?? serverNames[0],
    hasNext: options.some((option) => option.name === 'next' || option.name === 'next_on_nodata'),
    file: name.file,
    directive: {
      name: name.text,
      args: [fromWord, ...to].map(wordOf),
      body,
      line: name.line,
      start: name.start,
      end: (words.last ?? fromWord).end,
    },
    options,
  };
}

function readUpstreams(to: readonly Placed[], refused: Complaint[]): readonly UpstreamName[] {
  const read = to.map((word) => ({ word, ...readUpstream(word.text) }));
  for (const { word, upstream, isRefused } of read)
    if (isRefused && upstream.kind === 'other')
      refused.push(complaint(word, `"${upstream.text}": ${upstream.why}`));
  const extra = read.filter(({ upstream }) => upstream.kind !== 'file')[mostUpstreams];
  if (extra !== undefined) throw new Unfit(extra.word, `at most ${mostUpstreams} servers were expected`);
  return read.map(({ upstream }) => upstream);
}

function readOptions(words: Dispenser, refused: Complaint[]): readonly Directive[] {
  const options: Directive[] = [];
  for (let word = words.next(); word !== undefined && word.text !== '}'; word = words.next()) {
    if (word.text === '{') throw new Unfit(word, 'an option was expected, not "{"');
    const known = readOption(words, word);
    if (known === undefined) refused.push(complaint(word, `there is no option "${word.text}"`));
    const args = known ?? words.upTo('}');
    const { text: name, line, start } = word;
    options.push({
      name,
      args: args.map(wordOf),
      body: undefined,
      line,
      start,
      end: (args.at(-1) ?? word).end,
    });
  }
  return options;
}

function valuesOf(options: readonly Directive[], name: string): readonly string[] {
  return options.filter((option) => option.name === name).flatMap(({ args }) => args.map(({ text }) => text));
}

function complaint({ file, line }: Placed, reason: string): Complaint {
  return { file, line, reason: `forward: ${reason}` };
}

function wordOf({ text, start, end }: Placed): Word {
  return { text, start, end };
}
