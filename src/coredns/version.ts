/** Of CoreDNS: `[1, 12, 3]`. */
export type Version = readonly number[];

/** Not of one that is unknown. */
export function isAtLeast(version: Version | undefined, least: Version): boolean {
  if (version === undefined) return false;
  const at = least.findIndex((part, index) => (version[index] ?? 0) !== part);
  return at < 0 || (version[at] ?? 0) > (least[at] ?? 0);
}

/** Before 1.9.4 CoreDNS refuses a second `forward` in a server block. One that is unknown is taken for a newer one. */
export function takesSecondForward(version: Version | undefined): boolean {
  return version === undefined || isAtLeast(version, [1, 9, 4]);
}
