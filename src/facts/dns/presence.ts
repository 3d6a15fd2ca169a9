import type { Fact } from '../../engine/fact.ts';
import { coreDnsFact } from './coredns.ts';

/** Whether this machine has anything to do with a cluster's DNS. Where not, nobody is asked anything. */
export type Presence =
  | { readonly kind: 'present' }
  /** `reason` is why a check of DNS is skipped. */
  | { readonly kind: 'absent'; readonly reason: string };

export const presenceFact: Fact<Presence> = {
  id: 'dns-presence',
  async gather({ host, get }) {
    const [processes, coreDns] = await Promise.all([host.listProcesses(), get(coreDnsFact)]);
    if (processes.some(({ name }) => kubelets.test(name))) return { kind: 'present' };
    const parts = Object.values(coreDns);
    const isAway = parts.every((part) => part.kind === 'unavailable' && !part.forbidden);
    if (!isAway) return { kind: 'present' };
    return {
      kind: 'absent',
      reason: 'neither a kubelet runs on this machine nor can it reach the API of a cluster',
    };
  },
};

const kubelets = /^(k3s|k3s-server|k3s-agent|rke2|rke2-server|rke2-agent|kubelet)$/;
