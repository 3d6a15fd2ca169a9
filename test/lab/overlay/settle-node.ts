import { fileURLToPath } from 'node:url';
import { configure } from '../ghosts/run-doctor.ts';
import type { Pod } from '../node/add-pod.ts';
import type { LabNode } from '../node/start-node.ts';
import { nodeList } from './node-objects.ts';
import { clusterCidr, clusterCidr6, type OverlaySpec } from './overlay-member.ts';

export type OverlayNode<N extends LabNode> = N &
  OverlaySpec & {
    /** Answers its name on TCP 8080 and UDP 5353. */
    readonly pod: Pod;
    readonly crictl: string;
    /** Changes what this node's API server answers to a path. */
    answer(path: string, document: object): Promise<void>;
  };

interface Settler<N extends LabNode> {
  /** Whose network it is. */
  readonly outside: LabNode;
  /** Whose files and processes they are: the same, or the Debian in it. */
  readonly inside: N;
  readonly spec: OverlaySpec;
}

/** What k3s does on a node: Flannel's file, a process, an API server with a kubeconfig, and a pod. */
export async function settleNode<N extends LabNode>(
  { outside, inside, spec }: Settler<N>,
  members: readonly OverlaySpec[],
): Promise<OverlayNode<N>> {
  const answer = (path: string, document: object) =>
    outside.writeFile(`${apiFolder}${path}.json`, JSON.stringify(document));
  const { podCidr, podCidr6, isDualStack, isServer } = spec;
  const [pod] = await Promise.all([
    outside.addPod({
      name: `pod-${isServer ? 1 : 2}`,
      address: podCidr.replace('.0/24', '.5'),
      ...(isDualStack && { address6: podCidr6.replace('::/64', '::5') }),
      tcp: [8080],
      udp: [5353],
    }),
    inside.writeFile('/run/flannel/subnet.env', subnetFile(spec)),
    inside.fakeProcess('k3s', [isServer ? 'server' : 'agent']),
    answer('/api/v1/nodes', nodeList(members)),
    answer('/apis/discovery.k8s.io/v1/endpointslices', emptyList),
  ]);
  const kubeconfig = '/run/lab/k3s.yaml';
  const serve = ['--data', apiFolder, '--kubeconfig', kubeconfig, '--user', 'system:admin'];
  await outside.start([process.execPath, apiServer, ...serve]).waitForLine('listening');
  await inside.writeFile('/etc/rancher/k3s/k3s.yaml', await outside.readFile(kubeconfig), '600');
  const crictl = await inside.fakeCrictl([pod]);
  await configure(inside, { commands: { crictl } });
  return { ...inside, ...spec, pod, crictl, answer };
}

const apiFolder = '/run/lab/api';
const apiServer = fileURLToPath(new URL('../api-server/main.ts', import.meta.url));
const emptyList = {
  kind: 'EndpointSliceList',
  apiVersion: 'discovery.k8s.io/v1',
  metadata: {},
  items: [],
} as const;

/** As Flannel in k3s writes it. */
export function subnetFile({ addresses: { cni0 }, isDualStack }: OverlaySpec): string {
  return [
    `FLANNEL_NETWORK=${clusterCidr}`,
    `FLANNEL_SUBNET=${cni0.ipv4}/24`,
    ...(isDualStack ? [`FLANNEL_IPV6_NETWORK=${clusterCidr6}`, `FLANNEL_IPV6_SUBNET=${cni0.ipv6}/64`] : []),
    `FLANNEL_MTU=${isDualStack ? 1430 : 1450}`,
    'FLANNEL_IPMASQ=true',
    '',
  ].join('\n');
}
