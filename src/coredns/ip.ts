/** Addresses as Go reads them. */

export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

export function isIpv4(text: string): boolean {
  return (
    /^(\d{1,3}\.){3}\d{1,3}$/.test(text) &&
    text.split('.').every((part) => /^(0|[1-9]\d*)$/.test(part) && Number(part) < 256)
  );
}

function isIpv6(text: string): boolean {
  return ipv6Groups(text) !== undefined;
}

/** Its eight numbers. */
export function ipv6Groups(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const parts = [...head, ...(tail ?? [])];
  const last = parts.at(-1);
  const hasIpv4 = last?.includes('.') ?? false;
  if (hasIpv4 && (last === undefined || !isIpv4(last) || (tail !== undefined && tail.length === 0)))
    return undefined;
  const groups = (words: readonly string[]): number[] =>
    words.flatMap((word) => (word.includes('.') ? ipv4Groups(word) : [hex(word)]));
  const [front, back] = [groups(head), groups(tail ?? [])];
  const missing = 8 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...front, ...Array.from({ length: missing }, () => 0), ...back];
  return all.some(Number.isNaN) || head.some((word) => word.includes('.') && word !== last) ? undefined : all;
}

function ipv4Groups(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

function hex(text: string): number {
  return /^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}
