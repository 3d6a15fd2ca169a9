/**
 * The network that an address with a prefix length lies in: `10.42.0.1/24` is in `10.42.0.0/24`. IPv6 is
 * shortened as the kernel prints it. Undefined for anything else.
 */
export function networkOf(text: string): string | undefined {
  const [, address = '', length = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const isIpv6 = address.includes(':');
  const words = isIpv6 ? ipv6Words(address) : ipv4Words(address);
  const width = isIpv6 ? 16 : 8;
  if (words === undefined || Number(length) > words.length * width) return undefined;
  const masked = words.map((word, index) => {
    const kept = Math.min(Math.max(Number(length) - index * width, 0), width);
    return word & ~((1 << (width - kept)) - 1);
  });
  return `${isIpv6 ? printIpv6(masked) : masked.join('.')}/${Number(length)}`;
}

function ipv4Words(address: string): readonly number[] | undefined {
  const words = address.split('.').map((word) => (/^\d{1,3}$/.test(word) ? Number(word) : Number.NaN));
  return words.length === 4 && words.every((word) => word <= 255) ? words : undefined;
}

function ipv6Words(address: string): readonly number[] | undefined {
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const [head = [], tail] = halves;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length > 2 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const texts = [...head, ...(tail === undefined ? [] : [...Array<string>(missing).fill('0'), ...tail])];
  if (!texts.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return texts.map((word) => Number.parseInt(word, 16));
}

/** The first of the longest runs of zeros is left out, if there is one of two or more. */
function printIpv6(words: readonly number[]): string {
  const text = words.map((word) => word.toString(16)).join(':');
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`\\b${longest}\\b`));
  const before = text.slice(0, at).replace(/:$/, '');
  return `${before}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}
