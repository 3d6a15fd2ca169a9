import { isIPv6 } from 'node:net';
import type { PodIdentity } from './add-pod.ts';
import { defaultAddresses } from './boot-script.ts';
import type { Place } from './create-place.ts';
import type { Backend } from './ruleset-text.ts';

export interface PortmapCall {
  /** A pod of the node, or the identity of one that is gone. */
  readonly pod: PodIdentity;
  readonly hostPorts: readonly HostPort[];
  /** Default `cbr0`, as in k3s. */
  readonly networkName?: string;
}

interface HostPort {
  readonly hostPort: number;
  readonly containerPort: number;
  /** Default `tcp`. */
  readonly protocol?: 'tcp' | 'udp';
  readonly hostIP?: string;
}

interface BackendCall extends PortmapCall {
  readonly backend: Backend;
  readonly command: 'ADD' | 'DEL';
}

/**
 * Runs the real portmap plugin of the CNI project the way containerd does, second in the chain after
 * the bridge plugin. It calls whatever `iptables` is first on its PATH: that chooses the backend.
 *
 * @throws Error with what the plugin said, when it fails.
 */
export async function runPortmap(node: Place, call: BackendCall): Promise<void> {
  const { backend, command, pod } = call;
  const shim = `/run/lab/${backend}`;
  await node.run(['sh', '-ec', shimAndPortmap, shim, backend], {
    input: JSON.stringify(networkConfiguration(call)),
    env: {
      PATH: `${shim}:/usr/sbin:/usr/bin:/sbin:/bin`,
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod.sandboxId,
      CNI_NETNS: `/run/netns/${pod.name}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/usr/lib/cni',
      // Without IgnoreUnknown the plugin refuses the names that Kubernetes adds.
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name}`,
    },
  });
}

const shimAndPortmap = `
mkdir -p "$0"
for family in ip ip6; do
  for suffix in '' -save -restore; do
    ln -sfn /usr/sbin/\${family}tables-$1$suffix "$0/\${family}tables$suffix"
  done
done
exec /usr/lib/cni/portmap
`;

function networkConfiguration({ pod, hostPorts, networkName = 'cbr0' }: BackendCall): object {
  const gateways = defaultAddresses.cni0;
  return {
    cniVersion: '1.0.0',
    name: networkName,
    type: 'portmap',
    snat: true,
    capabilities: { portMappings: true },
    runtimeConfig: { portMappings: hostPorts.map((port) => ({ protocol: 'tcp', ...port })) },
    prevResult: {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'cni0' }, { name: 'eth0', sandbox: `/run/netns/${pod.name}` }],
      ips: pod.addresses.map((address) => ({
        address: isIPv6(address) ? `${address}/64` : `${address}/24`,
        gateway: isIPv6(address) ? gateways.ipv6 : gateways.ipv4,
        interface: 1,
      })),
    },
  };
}
