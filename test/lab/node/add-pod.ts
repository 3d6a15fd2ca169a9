import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { attachNetns } from './attach-netns.ts';
import type { NodeAddresses } from './boot-script.ts';
import type { Namespaces } from './create-namespaces.ts';
import { createPlace, type Place } from './create-place.ts';

export interface PodSpec {
  /** Also the name of its network namespace, and what its server answers. */
  readonly name: string;
  /** Default `default`. */
  readonly namespace?: string;
  /** 64 hexadecimal digits; without it, made from the name. */
  readonly sandboxId?: string;
  /** IPv4, IPv6 or both, without prefix length; cni0 has 10.42.0.1/24 and fd00:42::1/64 unless said otherwise. */
  readonly address?: string;
  readonly address6?: string;
  /** Ports that answer HTTP. */
  readonly tcp?: readonly number[];
  /** Ports that answer datagrams. */
  readonly udp?: readonly number[];
}

/** What the CNI plugin and the container runtime have to know of a pod, be it alive or long gone. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly sandboxId: string;
  readonly addresses: readonly string[];
}

export interface Pod extends PodIdentity, Place {
  /** Ends the server and takes the network namespace away, as when a pod dies. */
  stop(): Promise<void>;
}

export interface PodHost {
  readonly node: Place;
  readonly namespaces: Namespaces;
  readonly addresses: NodeAddresses;
}

/** Starts a pod. When it returns, the pod's ports answer. */
export async function addPod({ node, namespaces, addresses: own }: PodHost, spec: PodSpec): Promise<Pod> {
  const identity = identifyPod(spec);
  const { name, addresses } = identity;
  const detach = await attachNetns(node, { name, bridge: 'cni0', gateways: own.cni0, addresses });
  const place = createPlace(namespaces, name);
  const { tcp = [], udp = [] } = spec;
  const server = place.start([process.execPath, servePod, name, tcp.join(), udp.join()]);
  await server.waitForLine('serving');
  return {
    ...place,
    ...identity,
    stop: async () => {
      await server.stop();
      await detach();
    },
  };
}

/** The identity that a pod with this specification has; also for a pod that was never started. */
export function identifyPod({
  name,
  namespace = 'default',
  sandboxId,
  address,
  address6,
}: PodSpec): PodIdentity {
  return {
    name,
    namespace,
    sandboxId: sandboxId ?? createHash('sha256').update(`${namespace}/${name}`).digest('hex'),
    addresses: [address, address6].filter((each) => each !== undefined),
  };
}

const servePod = fileURLToPath(new URL('./serve-pod.ts', import.meta.url));
