import { flawsOf } from '../../coredns/flaws.ts';
import { versionOf } from '../../facts/dns/coredns.ts';
import type { Seen } from './seen.ts';

/**
 * Why a new pod would not start, or nobody knows that it would; undefined when it will, as far as can be
 * told. What runs goes on with what it read long ago; a new one reads the configuration as it is now.
 */
export function whyNoStart({ corefile, coreDns }: Seen): string | undefined {
  const { config } = coreDns;
  if (corefile.kind === 'broken') {
    const where = [
      corefile.file ?? 'Corefile',
      ...(corefile.line === undefined ? [] : [`line ${corefile.line}`]),
    ];
    return `${wouldNot} (${where.join(', ')}): ${corefile.reason}`;
  }
  if (corefile.kind !== 'read' || config.kind !== 'known') {
    const why = 'reason' in corefile ? `: ${corefile.reason}` : '';
    return `whether a new pod would start is not known without the Corefile${why}`;
  }
  const [flaw] = flawsOf(corefile, versionOf(coreDns));
  if (flaw !== undefined) return `${wouldNot}: ${flaw.reason}`;
  const { Corefile = '', NodeHosts } = config.value.data;
  if (NodeHosts !== undefined || !Corefile.includes('/NodeHosts')) return undefined;
  return 'a new pod would not start: ConfigMap coredns has no key NodeHosts, which k3s writes when a node joins or changes';
}

const wouldNot = 'a new pod would not start with the configuration as it is';
