import type { Backend } from '../node/ruleset-text.ts';
import type { LabNode } from '../node/start-node.ts';

/** What Flannel puts into iptables, in its order: appended, behind whatever is there. */
export async function addFlannelRules(node: LabNode, backend: Backend = 'nft'): Promise<void> {
  const append = (table: string, rule: string) =>
    node.run(['sh', '-ec', `iptables-${backend} -t ${table} ${rule}`]);
  const comment = '-m comment --comment "flanneld forward"';
  await append('filter', '-N FLANNEL-FWD');
  await append('filter', `-A FLANNEL-FWD -s 10.42.0.0/16 ${comment} -j ACCEPT`);
  await append('filter', `-A FLANNEL-FWD -d 10.42.0.0/16 ${comment} -j ACCEPT`);
  await append('filter', `-A FORWARD ${comment} -j FLANNEL-FWD`);
}
