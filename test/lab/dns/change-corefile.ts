import { configPath, dataOf } from './stand-in/objects.ts';
import type { DnsCluster } from './start-dns-cluster.ts';

/** As somebody with kubectl would: nobody here counts it as a write of the doctor. */
export function changeCorefile({ state }: DnsCluster, change: (text: string) => string): void {
  const { Corefile = '', ...data } = dataOf(state, configPath);
  const config = state.get(configPath);
  if (config === undefined) throw new Error('there is no ConfigMap coredns');
  state.put({ ...config, data: { ...data, Corefile: change(Corefile) } });
}
