import type { CoreDns } from './coredns.ts';

/** Who answers in the place of CoreDNS, as far as is seen: a DaemonSet, a chart of somebody's, another server. */
export function describeOtherDns({ pods, service }: Pick<CoreDns, 'pods' | 'service'>): string {
  const addresses = service.kind === 'known' ? service.value.join(', ') : '';
  const where = addresses === '' ? '' : ` at ${addresses}`;
  const running = pods.kind === 'known' ? pods.value : [];
  const who = running.map(({ name, node }) => `${name} on ${node ?? 'no node'}`).slice(0, 5);
  return `there is no Deployment coredns in kube-system: cluster DNS${where} is ${who.length === 0 ? "somebody else's" : `served by ${who.join(', ')}`}`;
}
