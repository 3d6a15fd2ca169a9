import { kubeProxyRules } from '../../ghosts/kube-proxy-rules.ts';
import type { LabNode } from '../../node/start-node.ts';

export const dnsAddress = '10.43.0.10';

/** Writes on a node the rules that lead to these pods of CoreDNS, and to the API server. */
export async function writeServices(
  node: LabNode,
  pods: readonly string[],
  apiServer: string,
): Promise<void> {
  const dns = { address: dnsAddress, port: 53 };
  const endpoints = pods.map((address) => `${address}:53`);
  const rules = kubeProxyRules([
    { ...dns, name: 'kube-system/kube-dns:dns', protocol: 'udp', endpoints },
    { ...dns, name: 'kube-system/kube-dns:dns-tcp', endpoints },
    { name: 'default/kubernetes:https', address: '10.43.0.1', port: 443, endpoints: [apiServer] },
  ]);
  await node.restore('nft', 'ipv4', rules);
  // As kube-proxy does: UDP would go on to a pod that is gone. 1: there was none.
  await node.exec(['conntrack', '-D', '-p', 'udp', '--orig-dst', dnsAddress]);
}

/** Flannel's part, in a table of its own: what pods send into the world has the node's address. */
export async function masquerade(node: LabNode): Promise<void> {
  const rules = `
table ip lab {
  chain postrouting {
    type nat hook postrouting priority srcnat + 5;
    ip saddr 10.42.0.0/16 ip daddr != 10.42.0.0/16 oifname eth0 masquerade
  }
}`;
  await node.run(['nft', '-f', '-'], { input: rules });
}
