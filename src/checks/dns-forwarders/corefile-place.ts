import { type Forward, wouldBeAsked } from '../../coredns/forwards.ts';
import { takesSecondForward } from '../../coredns/version.ts';
import { type ConfigMap, versionOf } from '../../facts/dns/coredns.ts';
import { ownOverrideKey, ownOverridePath, type ReadCorefile } from '../../facts/dns/corefile.ts';
import type { Seen } from './seen.ts';
import { customKeyOf, placeOf, sampleLine } from './words.ts';

/** Where another forward of zone `.` has to be written to be asked. */
export type Place =
  /** Our own key of ConfigMap coredns-custom; `was`: what it holds. */
  | { readonly kind: 'override'; readonly was: string | null; readonly forward: Forward }
  /** In the Corefile itself, in place of what stands there. */
  | { readonly kind: 'corefile'; readonly forward: Forward }
  | { readonly kind: 'nowhere'; readonly reason: string };

/** The forward that answers for all names that nothing else answers for. */
export function rootForward({ forwards }: Pick<ReadCorefile, 'forwards'>): Forward | undefined {
  return forwards.find(isOfRoot);
}

function isOfRoot({ block, from, isShadowed }: Forward): boolean {
  return from === '.' && !isShadowed && servesRoot(block.keys);
}

export function findPlace(seen: Seen, live: ReadCorefile, servers: readonly string[]): Place {
  const forward = rootForward(live);
  if (!forward) return nowhere('the Corefile has no forward for names outside the cluster');
  const { custom } = seen.coreDns;
  const line = sampleLine(servers);
  if (asksOverTls(forward)) {
    return nowhere(
      `${placeOf(forward)} forwards over TLS, and a fix makes no plain DNS of that. If you want it, write there: ${line}`,
    );
  }
  if (custom.kind === 'unavailable') return nowhere(`ConfigMap coredns-custom: ${custom.reason}`);
  const isOurs = forward.file === ownOverridePath;
  if (
    isOurs ||
    (takesSecondForward(versionOf(seen.coreDns)) && wouldBeAsked(live.corefile, live.files, ownOverridePath))
  ) {
    const was = custom.kind === 'known' ? (custom.value.data[ownOverrideKey] ?? null) : null;
    const obstacle = custom.kind === 'known' ? whyUnchangeable(custom.value, 'coredns-custom') : undefined;
    if (obstacle !== undefined) return nowhere(`${obstacle}: ${line}`);
    return { kind: 'override', was, forward };
  }
  if (forward.file === undefined) {
    const { config } = seen.coreDns;
    const obstacle =
      whyNotAlone(forward, live) ??
      (config.kind === 'known' ? whyUnchangeable(config.value, 'coredns') : undefined);
    return obstacle === undefined ? { kind: 'corefile', forward } : nowhere(`${obstacle}: ${line}`);
  }
  const key = customKeyOf(forward);
  const edit = key ? ` (kubectl -n kube-system edit configmap coredns-custom, key ${key})` : '';
  return nowhere(`${placeOf(forward)} is yours: write there${edit}: ${line}`);
}

/** What stands in a snippet may be for other zones, too, whose servers are not ours to choose. */
function whyNotAlone(forward: Forward, { forwards }: ReadCorefile): string | undefined {
  const others = forwards.filter(({ block }) => block !== forward.block);
  const rival = others.find(isOfRoot);
  if (rival)
    return `another server block (line ${rival.block.line}) answers for all names, too, and which of them pods ask is not known: write into that one`;
  const sharer = others.find(
    ({ file, directive }) => file === undefined && directive.start === forward.directive.start,
  );
  return (
    sharer &&
    `${placeOf(forward)} is imported by the block of ${sharer.block.keys.join(', ')}, too: write into the block of ${forward.block.keys.join(', ')} instead`
  );
}

function whyUnchangeable({ isImmutable, binaryKeys = [] }: ConfigMap, name: string): string | undefined {
  if (isImmutable)
    return `ConfigMap ${name} is immutable, which only deleting it and making it anew changes: put there`;
  if (!binaryKeys.includes(ownOverrideKey)) return undefined;
  return `ConfigMap ${name} has ${ownOverrideKey} among its binaryData: take it away there, and write`;
}

function nowhere(reason: string): Place {
  return { kind: 'nowhere', reason };
}

function servesRoot(keys: readonly string[]): boolean {
  return keys.some((key) => /^(dns:\/\/)?\.?(:53)?$/.test(key));
}

function asksOverTls({ upstreams, tlsServerName }: Forward): boolean {
  return (
    tlsServerName !== undefined ||
    upstreams.some((upstream) => upstream.kind === 'address' && upstream.protocol === 'tls')
  );
}
