import fc from 'fast-check';

/** A Corefile made up together with what it means. */
export interface MadeCorefile {
  readonly text: string;
  readonly files: ReadonlyMap<string, string>;
  readonly blocks: readonly MadeBlock[];
}

export interface MadeBlock {
  readonly zones: readonly string[];
  /** In the order in which they are asked, each with a server of its own. */
  readonly forwards: readonly MadeForward[];
}

export interface MadeForward {
  readonly from: string;
  readonly except: readonly string[];
  readonly hasNext: boolean;
  readonly server: string;
  /** Undefined: in the Corefile itself, in the block or a snippet. */
  readonly file: string | undefined;
}

const zones = ['.', 'a.test', 'b.a.test', 'c.b.a.test', 'd.test'];
/** Forwards made up here differ by none but these. */
export const tellingNames = zones.flatMap((zone) => (zone === '.' ? ['.', 'q'] : [zone, `q.${zone}`]));

/** How the same words may be written. */
export interface Taste {
  readonly gap: string;
  readonly end: string;
  readonly isQuoted: boolean;
  readonly margin: string;
}

export const taste: fc.Arbitrary<Taste> = fc.record({
  gap: fc.constantFrom(' ', '\t', '   ', ' \t', '\u00a0'),
  end: fc.constantFrom('\n', '\r\n', ' # said { " \n', '\n\n', '\n\t# } forward . 9.9.9.9\r\n', '#\n'),
  isQuoted: fc.boolean(),
  margin: fc.constantFrom('', '  ', '\t'),
});

export function line(words: readonly string[], { gap, end, isQuoted, margin }: Taste): string {
  return `${margin}${words.map((word) => (isQuoted ? `"${word}"` : word)).join(gap)}${end}`;
}

const place = fc.constantFrom('block', 'snippet', 'file', 'glob');

const forward = fc.record({
  from: fc.constantFrom(...zones),
  except: fc.uniqueArray(fc.constantFrom(...zones.slice(1)), { maxLength: 2 }),
  hasNext: fc.boolean(),
  isNested: fc.boolean(),
  place,
  taste,
});

const block = fc.record({ forwards: fc.array(forward, { maxLength: 5 }), place, taste });

export const arbitraryCorefile: fc.Arbitrary<MadeCorefile> = fc
  .record({
    blocks: fc.array(block, { minLength: 1, maxLength: 3 }),
    owners: fc.array(fc.nat(), { minLength: zones.length, maxLength: zones.length }),
    isMarked: fc.boolean(),
  })
  .map(({ blocks, owners, isMarked }) => {
    const maker = new Maker();
    const made = blocks.flatMap((each, i) => {
      const own = zones.filter((_, zone) => (owners[zone] ?? 0) % blocks.length === i);
      return own.length === 0 ? [] : [maker.block(own, each)];
    });
    return {
      text: `${isMarked ? '\ufeff' : ''}${maker.snippets}${maker.text}`,
      files: maker.files,
      blocks: made,
    };
  });

class Maker {
  text = '';
  snippets = '';
  readonly files = new Map<string, string>();
  #count = 0;

  block(
    own: readonly string[],
    { forwards, place, taste }: typeof block extends fc.Arbitrary<infer T> ? T : never,
  ) {
    const made = forwards.map((each) => this.#forward(each));
    const keys = own.map((zone, i) => `${zone}${zone === '.' ? ':53' : ''}${i < own.length - 1 ? ',' : ''}`);
    const text = [
      line([...keys, '{'], taste),
      line(['errors'], taste),
      ...made.map(({ text }) => text),
      line(['}'], taste),
    ].join('');
    if (place === 'file' || place === 'glob') {
      const path = this.#path('server');
      this.files.set(path, text);
      this.text += line(['import', place === 'glob' ? path.replace('.server', '.s*r') : path], taste);
    } else this.text += text;
    const file = place === 'file' || place === 'glob' ? [...this.files.keys()].at(-1) : undefined;
    return {
      zones: own,
      forwards: made.map(({ forward }) => (forward.file === 'block' ? { ...forward, file } : forward)),
    };
  }

  #forward({
    from,
    except,
    hasNext,
    isNested,
    place,
    taste,
  }: typeof forward extends fc.Arbitrary<infer T> ? T : never) {
    const server = `127.0.1.${++this.#count}`;
    const options = [
      ...(except.length > 0 ? [line(['except', ...except], taste)] : []),
      ...(hasNext ? [line(['next', 'NXDOMAIN'], taste)] : []),
    ];
    const nested =
      isNested && options.length > 0 ? this.#importOf(options.join(''), 'snippet', taste) : options.join('');
    const words = ['forward', from, `${server}:5300`];
    const text =
      nested === '' ? line(words, taste) : line([...words, '{'], taste) + nested + line(['}'], taste);
    const made = { from, except, hasNext, server };
    if (place === 'block') return { text, forward: { ...made, file: 'block' } };
    const imported = this.#importOf(text, place, taste);
    const file = place === 'snippet' ? undefined : [...this.files.keys()].at(-1);
    return { text: imported, forward: { ...made, file } };
  }

  #importOf(text: string, place: 'snippet' | 'file' | 'glob', taste: Taste): string {
    if (place === 'snippet') {
      const name = `s${++this.#count}`;
      this.snippets += line([`(${name})`, '{'], taste) + text + line(['}'], taste);
      return line(['import', name], taste);
    }
    const path = this.#path('override');
    this.files.set(path, text);
    return line(['import', place === 'glob' ? path.replace('.override', '.over*') : path], taste);
  }

  #path(ending: string): string {
    return `/etc/coredns/custom/f${++this.#count}.${ending}`;
  }
}

/** Which servers CoreDNS asks for a name, one after the other, when all of them know no such name. */
export function askedFor(name: string, blocks: readonly MadeBlock[]): readonly string[] {
  const isIn = (zone: string) => zone === '.' || name === zone || name.endsWith(`.${zone}`);
  const owner = blocks
    .flatMap((each) => each.zones.filter(isIn).map((zone) => ({ each, zone })))
    .toSorted((a, b) => zones.indexOf(b.zone) - zones.indexOf(a.zone))[0]?.each;
  const asked: string[] = [];
  for (const { from, except, hasNext, server } of owner?.forwards ?? []) {
    if (!isIn(from) || (name !== from && except.some(isIn))) continue;
    asked.push(server);
    if (!hasNext) break;
  }
  return asked;
}
