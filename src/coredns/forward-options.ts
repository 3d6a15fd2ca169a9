import { type Dispenser, Unfit } from './dispenser.ts';
import type { Placed } from './expand.ts';
import { environment } from './words.ts';

const duration = /^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;
const rcodes = new Set(
  `NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP NOTIMPL REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE DSOTYPENI BADSIG
  BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE`.split(/\s+/),
);

type Reader = (words: Dispenser, option: Placed) => readonly Placed[];

const isTime = (text: string) => duration.test(text) && !/^-.*[1-9]/.test(text);
/** Of later releases than 1.12: what they take is not checked. */
const unchecked: Reader = (words) => words.upTo('}');

const readers: Readonly<Record<string, Reader>> = {
  except: some('a zone', () => true),
  max_fails: one('a number', (text) => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32),
  max_concurrent: one('a number', (text) => /^(\+?\d{1,18}|-0+)$/.test(text)),
  health_check: healthCheck,
  expire: one('a time like 10s', isTime),
  policy: one('random, round_robin or sequential', (text) => /^(random|round_robin|sequential)$/.test(text)),
  tls,
  tls_servername: one('a name', () => true),
  next: some('a code like NXDOMAIN', (text) => rcodes.has(text.toUpperCase())),
  force_tcp: none,
  prefer_udp: none,
  failfast_all_unhealthy_upstreams: failFast,
  next_on_nodata: unchecked,
  failover: unchecked,
  resolver: unchecked,
  doh_method: unchecked,
  max_idle_conns: unchecked,
  max_connect_attempts: unchecked,
};

/** The words behind an option; undefined where there is none of that name, and what it takes is not known. */
export function readOption(words: Dispenser, option: Placed): readonly Placed[] | undefined {
  return Object.hasOwn(readers, option.text) ? readers[option.text]?.(words, option) : undefined;
}

function one(expected: string, isFit: (text: string) => boolean): Reader {
  return (words, option) => [checked(words.one(option, expected), option, expected, isFit)];
}

function some(expected: string, isFit: (text: string) => boolean): Reader {
  return (words, option) => {
    const found = words.upTo('{');
    if (found.length === 0) throw new Unfit(option, `${expected} was expected behind "${option.text}"`);
    return found.map((word) => checked(word, option, expected, isFit));
  };
}

function checked(word: Placed, option: Placed, expected: string, isFit: (text: string) => boolean): Placed {
  if (isFit(word.text) || environment.test(word.text)) return word;
  throw new Unfit(word, `${expected} was expected behind "${option.text}", not "${word.text}"`);
}

function none(words: Dispenser, option: Placed): readonly Placed[] {
  const extra = words.nextOnLine();
  if (extra !== undefined) throw new Unfit(extra, `a new line was expected behind "${option.text}"`);
  return [];
}

function failFast(words: Dispenser, option: Placed): readonly Placed[] {
  const [extra] = words.upTo('{');
  if (extra !== undefined) throw new Unfit(extra, `a new line was expected behind "${option.text}"`);
  return [];
}

function tls(words: Dispenser, option: Placed): readonly Placed[] {
  const found = words.upTo('{');
  if (found.length > 3) throw new Unfit(option, 'at most three files were expected behind "tls"');
  return found;
}

function healthCheck(words: Dispenser, option: Placed): readonly Placed[] {
  const expected = 'a time like 2s';
  const found = [checked(words.one(option, expected), option, expected, isTime)];
  for (let word = words.nextOnLine(); word !== undefined; word = words.nextOnLine()) {
    found.push(word);
    if (word.text === 'domain') found.push(words.one(word, 'a name'));
    else if (word.text !== 'no_rec')
      throw new Unfit(word, `no_rec or domain was expected behind "${option.text}", not "${word.text}"`);
  }
  return found;
}
