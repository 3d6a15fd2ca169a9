import type { CoreDnsDeployment } from '../../facts/dns/coredns.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';
import type { Seen } from './seen.ts';

/**
 * Why a new pod would not start, or nobody knows that it would; undefined when it will, as far as can be
 * told. What runs goes on with what it read long ago; a new one reads the configuration as it is now.
 */
export function whyNoStart({ corefile, coreDns: { config, deployment } }: Seen): string | undefined {
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
  const [flaw] = corefile.refused ?? [];
  if (flaw !== undefined) return `${wouldNot}: ${flaw.reason}`;
  if (deployment.kind === 'known' && hasSecondForward(corefile) && isOlderThan194(deployment.value)) {
    return `${wouldNot}: it has two forward in one server block, which CoreDNS takes from 1.9.4 on`;
  }
  const { Corefile = '', NodeHosts } = config.value.data;
  if (NodeHosts !== undefined || !Corefile.includes('/NodeHosts')) return undefined;
  return 'a new pod would not start: ConfigMap coredns has no key NodeHosts, which k3s writes when a node joins or changes';
}

const wouldNot = 'a new pod would not start with the configuration as it is';

function hasSecondForward({ forwards }: LiveCorefile & { readonly kind: 'read' }): boolean {
  return forwards.some(({ block, directive }) =>
    forwards.some((other) => other.block === block && other.directive !== directive),
  );
}

function isOlderThan194({ version }: CoreDnsDeployment): boolean {
  if (version === undefined) return false;
  const [major = 0, minor = 0, patch = 0] = version;
  return major * 1_000_000 + minor * 1_000 + patch < 1_009_004;
}
