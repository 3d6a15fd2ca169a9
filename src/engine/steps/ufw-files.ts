import type { Host } from '../../host/host.ts';
import { type Family, families } from '../../netfilter/ruleset.ts';
import type { UfwRuleSpec } from '../step.ts';
import { familiesOf, normalizeRule, tupleOf } from './ufw-words.ts';

/** UFW's rules as it keeps them, null where there is no such file; latin1. */
export type UfwFiles = Readonly<Record<Family, string | null>>;

export const ufwFile: Readonly<Record<Family, string>> = {
  ipv4: '/etc/ufw/user.rules',
  ipv6: '/etc/ufw/user6.rules',
};

export type UfwFilesReading =
  | {
      readonly kind: 'read';
      readonly files: UfwFiles;
      readonly isEnabled: boolean;
      readonly hasIpv6: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export async function readUfwFiles(host: Host): Promise<UfwFilesReading> {
  const paths = [ufwFile.ipv4, ufwFile.ipv6, '/etc/ufw/ufw.conf', '/etc/default/ufw'];
  const read = await Promise.all(paths.map((path) => host.readFile(path, 'latin1')));
  const texts = read.map((file) => (file.kind === 'read' ? file.text : null));
  const failed = read.findIndex(({ kind }) => kind === 'unreadable');
  if (failed >= 0) return { kind: 'failed', reason: `${paths[failed]} cannot be read` };
  const [ipv4 = null, ipv6 = null, conf = null, settings = null] = texts;
  const isEnabled = /^ENABLED="?yes\b/im.test(conf ?? '');
  const hasIpv6 = /^IPV6="?yes\b/im.test(settings ?? '');
  return { kind: 'read', files: { ipv4, ipv6 }, isEnabled, hasIpv6 };
}

/** UFW writes a file over itself: a kill may leave the first part of it, or nothing. */
export function isCutOff(text: string | null): boolean {
  return text !== null && !/^COMMIT$/m.test(text);
}

/**
 * `ours`: with its comment. `same`: somebody's, or with another comment. `otherAction`: a rule about the
 * same traffic with another word; UFW would replace it.
 */
export type PlaceInFile = 'ours' | 'same' | 'otherAction' | 'absent';

export function findInFile(rule: UfwRuleSpec, family: Family, text: string | null): PlaceInFile {
  const tuple = tupleOf(rule, family);
  const verb = `${rule.route ? 'route:' : ''}${rule.action}`;
  for (const line of tuplesIn(text)) {
    const [, action, found, comment = ''] = /^(\S+) (.*?)(?: comment=(\S*))?$/.exec(line) ?? [];
    if (found !== tuple || action?.startsWith('route:') !== rule.route) continue;
    if (action === verb && comment === hexOf(rule.comment)) return 'ours';
    return action === verb || action.startsWith(`${verb}_`) ? 'same' : 'otherAction';
  }
  return 'absent';
}

/** The rules in a file, as UFW notes them, in order. */
function tuplesIn(text: string | null): readonly string[] {
  return [...(text ?? '').matchAll(/^### tuple ### (.*?)\s*$/gm)].map(([, tuple = '']) => tuple);
}

/** What a file would put into the kernel, normalized. */
export function rulesIn(text: string | null): readonly string[] {
  return [...(text ?? '').matchAll(/^-A .*$/gm)].map(([line]) => normalizeRule(line));
}

/** What was there, other than this rule, and is not any more; as UFW notes it. */
export function lostTuples(rule: UfwRuleSpec, before: UfwFiles, now: UfwFiles): readonly string[] {
  return families.flatMap((family) => {
    const left = tuplesIn(now[family]);
    const own = familiesOf(rule).includes(family)
      ? ` ${tupleOf(rule, family)} comment=${hexOf(rule.comment)}`
      : undefined;
    const isOwn = (line: string) => own !== undefined && line.endsWith(own);
    return tuplesIn(before[family]).filter((line) => !isOwn(line) && !left.includes(line));
  });
}

function hexOf(comment: string): string {
  return Buffer.from(comment, 'utf8').toString('hex');
}
