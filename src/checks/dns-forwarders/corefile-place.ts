import { type Forward, wouldBeAsked } from '../../coredns/forwards.ts';
import { takesSecondForward } from '../../coredns/version.ts';
import { versionOf } from '../../facts/dns/coredns.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';
import type { Seen } from './seen.ts';
import { customKeyOf, placeOf, sampleLine } from './words.ts';

export const overrideKey = 'k3s-doctor-upstream.override';
const customFolder = '/etc/coredns/custom/';
export const overridePath = `${customFolder}${overrideKey}`;

/** Where another forward of zone `.` has to be written to be asked. */
export type Place =
  /** Our own key of ConfigMap coredns-custom; `was`: what it holds. */
  | { readonly kind: 'override'; readonly was: string | null; readonly forward: Forward }
  /** In the Corefile itself, in place of what stands there. */
  | { readonly kind: 'corefile'; readonly forward: Forward }
  | { readonly kind: 'nowhere'; readonly reason: string };

type ReadCorefile = LiveCorefile & { readonly kind: 'read' };

/** The forward that answers for all names that nothing else answers for. */
export function rootForward({ forwards }: Pick<ReadCorefile, 'forwards'>): Forward | undefined {
  return forwards.find(
    ({ block, from, isShadowed }) => from === '.' && !isShadowed && servesRoot(block.keys),
  );
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
  const isOurs = forward.file === overridePath;
  if (
    isOurs ||
    (takesSecondForward(versionOf(seen.coreDns)) && wouldBeAsked(live.corefile, live.files, overridePath))
  ) {
    const was = custom.kind === 'known' ? (custom.value.data[overrideKey] ?? null) : null;
    return { kind: 'override', was, forward };
  }
  if (forward.file === undefined) return { kind: 'corefile', forward };
  const key = customKeyOf(forward);
  const edit = key ? ` (kubectl -n kube-system edit configmap coredns-custom, key ${key})` : '';
  return nowhere(`${placeOf(forward)} is yours: write there${edit}: ${line}`);
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
