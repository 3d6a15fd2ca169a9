import { parseCorefile } from '../../coredns/corefile.ts';
import { type CorefileFiles, resolveForwards } from '../../coredns/forwards.ts';
import type { CoreDns } from '../../facts/dns/coredns.ts';
import { customFolder } from '../../facts/dns/corefile.ts';

/** Of all files together; more takes too long to try. */
const mostLetters = 200_000;
const mostFiles = 50;

/**
 * The custom file but for which CoreDNS would start: what it leaves open, a brace above all, is only noticed
 * in the Corefile behind its import.
 */
export function findCulprit({ config, custom }: CoreDns): string | undefined {
  if (config.kind !== 'known' || custom.kind !== 'known') return undefined;
  const text = config.value.data['Corefile'] ?? '';
  const files = Object.entries(custom.value.data).map(
    ([key, value]) => [`${customFolder}${key}`, value] as const,
  );
  const letters = files.reduce((sum, [, value]) => sum + value.length, text.length);
  if (files.length > mostFiles || letters > mostLetters) return undefined;
  if (isTaken(text, new Map(files))) return undefined;
  const paths = files.map(([path]) => path);
  return paths.find((path) => isTaken(text, new Map(files.filter(([each]) => each !== path))));
}

function isTaken(text: string, files: CorefileFiles): boolean {
  const parsed = parseCorefile(text);
  if (parsed.kind === 'malformed') return false;
  const resolved = resolveForwards(parsed.corefile, files);
  return resolved.kind === 'resolved' && (resolved.refused ?? []).length === 0;
}
