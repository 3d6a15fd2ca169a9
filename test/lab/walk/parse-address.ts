import { isIPv4 } from 'node:net';

/** 4 or 16 bytes. Own code, so that a fault of the walk's is not shared. */
export function parseAddress(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = Array.from({ length: 8 - front.length - back.length }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...front, ...middle, ...back].entries())
    bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

/** The same address in one spelling. */
export function sameSpelling(address: string): string {
  return parseAddress(address).toString('hex');
}
