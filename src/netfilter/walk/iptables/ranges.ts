/** Both ends belong to it. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** `80`, `1000:2000`, `:1023`, `1024:`. */
export function readRange(text: string): Range | undefined {
  const [, from = '', colon, to = ''] = /^(0x[0-9a-f]+|\d*)(:?)(0x[0-9a-f]+|\d*)$/i.exec(text) ?? [];
  if (colon === undefined || (colon === '' && from === '')) return undefined;
  if (colon === '') return { from: Number(from), to: Number(from) };
  return { from: from === '' ? 0 : Number(from), to: to === '' ? 65535 : Number(to) };
}

/** `80,443,1000:2000`. */
export function readRanges(text: string): readonly Range[] | undefined {
  const ranges = text.split(',').map(readRange);
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

/** `0x4000/0x4000`, `1`: 32 bits each. */
export function readMasked(text: string): { readonly value: number; readonly mask: number } | undefined {
  const [, value, mask] = /^(0x[0-9a-f]+|\d+)(?:\/(0x[0-9a-f]+|\d+))?$/i.exec(text) ?? [];
  if (value === undefined) return undefined;
  return { value: Number(value) >>> 0, mask: mask === undefined ? 0xffffffff : Number(mask) >>> 0 };
}
