import type { DnsCluster } from './start-dns-cluster.ts';

/** As when node 2, in another cloud, announces its private address there: node 1 sends into the void. */
export async function loseOverlay({ first, state }: DnsCluster): Promise<void> {
  const fdb = ['bridge', 'fdb', 'replace', '0e:00:00:00:00:02', 'dev', 'flannel.1', 'dst', '172.31.39.213'];
  await first.run(fdb);
  const node = state.get('/api/v1/nodes/node-2');
  if (node === undefined) throw new Error('there is no second node');
  const annotations = {
    ...Object(node.metadata['annotations']),
    'flannel.alpha.coreos.com/public-ip': '172.31.39.213',
  };
  state.put({ ...node, metadata: { ...node.metadata, annotations } });
}
