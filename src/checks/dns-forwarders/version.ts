import type { Seen } from './seen.ts';

/** Of CoreDNS, by the tag of its image. */
export function versionOf({ coreDns: { deployment } }: Seen): readonly number[] | undefined {
  return deployment.kind === 'known' ? deployment.value.version : undefined;
}

/** Not of one that is unknown. */
export function isAtLeast(version: readonly number[] | undefined, least: readonly number[]): boolean {
  if (version === undefined) return false;
  const at = least.findIndex((part, index) => (version[index] ?? 0) !== part);
  return at < 0 || (version[at] ?? 0) > (least[at] ?? 0);
}
