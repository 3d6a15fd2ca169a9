import type { Fact } from '../engine/fact.ts';
import { type Backend, backends } from '../netfilter/ruleset.ts';
import { type KubeComponents, kubeComponentsFact } from './kube-components.ts';
import { type ReadTable, tableReadingsFact, tableTitle } from './table-readings.ts';

/**
 * Which backend kubelet and kube-proxy write to now.
 * `none`: no kubelet ever ran here, or it left no mark and does not run.
 */
export type LiveBackend =
  | { readonly kind: 'live'; readonly backend: Backend; readonly evidence: readonly string[] }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'none' };

export const liveBackendFact: Fact<LiveBackend> = {
  id: 'live-backend',
  async gather({ get }) {
    return decideLiveBackend(await get(tableReadingsFact), await get(kubeComponentsFact));
  },
};

/**
 * kubelet marks its backend in the mangle table: with KUBE-IPTABLES-HINT, before that with
 * KUBE-KUBELET-CANARY. A mark can be a ghost itself, so kube-proxy must not contradict it.
 */
function decideLiveBackend(tables: readonly ReadTable[], components: KubeComponents): LiveBackend {
  for (const mark of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY']) {
    const marked = backends.filter((backend) => has(tables, backend, 'mangle', mark));
    const [backend, second] = marked;
    if (backend && second) {
      const reason = `kubelet's mark (mangle/${mark}) is in both backends, so either may be the live one: ${placesOf(tables, mark)}`;
      return { kind: 'unknown', reason };
    }
    if (backend) return crossCheck(tables, components, backend, mark);
  }
  if (components.kubelet) {
    const reason =
      'kubelet runs, but its mark (mangle/KUBE-IPTABLES-HINT or KUBE-KUBELET-CANARY) is in neither backend';
    return { kind: 'unknown', reason };
  }
  return { kind: 'none' };
}

function placesOf(tables: readonly ReadTable[], mark: string): string {
  return tables
    .filter((read) => read.table === 'mangle' && read.reading.owned.has(mark))
    .map(tableTitle)
    .join(', ');
}

/** kube-proxy may use another backend than kubelet (a container with its own iptables, for one). */
function crossCheck(
  tables: readonly ReadTable[],
  components: KubeComponents,
  backend: Backend,
  mark: string,
): LiveBackend {
  const other = backend === 'nft' ? 'legacy' : 'nft';
  const evidence = [`kubelet's mark mangle/${mark} is in iptables-${backend} and not in iptables-${other}`];
  const mode = kubeProxyMode(tables, components, backend);
  if (mode) return { kind: 'live', backend, evidence: [...evidence, mode] };
  if (has(tables, other, 'nat', 'KUBE-SERVICES')) {
    const reason = `kubelet writes to iptables-${backend}, but kube-proxy's only rules are in iptables-${other}: it may be writing there`;
    return { kind: 'unknown', reason };
  }
  return { kind: 'live', backend, evidence: [...evidence, 'kube-proxy has rules in neither backend'] };
}

/** What shows how kube-proxy works here; undefined when nothing does. */
function kubeProxyMode(
  tables: readonly ReadTable[],
  components: KubeComponents,
  backend: Backend,
): string | undefined {
  if (has(tables, backend, 'nat', 'KUBE-SERVICES')) {
    const mode = components.ipvsDevice ? 'ipvs' : 'iptables';
    return `kube-proxy (${mode} mode) has its rules in iptables-${backend} too`;
  }
  if (components.kubeProxyNftTable) return 'kube-proxy works in nftables mode (table kube-proxy)';
  if (components.kubeProxyDisabled) return 'kube-proxy is disabled on the command line';
  if (components.ciliumDevice) return 'Cilium stands in for kube-proxy (cilium_host)';
  return undefined;
}

function has(tables: readonly ReadTable[], backend: Backend, table: string, chain: string): boolean {
  return tables.some(
    (read) => read.backend === backend && read.table === table && read.reading.owned.has(chain),
  );
}
