import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeKubeconfig } from '../api-server/kubeconfig.ts';
import type { ApiServer } from '../api-server/server.ts';
import { configure } from '../ghosts/run-doctor.ts';
import type { Pod } from '../node/add-pod.ts';
import type { OverlayMember } from '../overlay/overlay-member.ts';
import { subnetFile } from '../overlay/settle-node.ts';
import { masquerade } from './stand-in/kube-proxy.ts';

export interface DnsNode extends OverlayMember {
  readonly pod: Pod;
  /** Ends what leads to the API server on this node. */
  cutApi(): Promise<void>;
}

/** To the API server in the test's own process, by a socket in the file system: nodes are in other networks. */
interface Way extends AsyncDisposable {
  readonly socket: string;
}

export async function openWay(api: ApiServer, socket: string): Promise<Way> {
  const port = Number(new URL(api.url).port);
  const server = createServer((client) => {
    const onward = connect(port, '127.0.0.1');
    client.pipe(onward).pipe(client);
    client.on('error', () => onward.destroy()).on('close', () => onward.destroy());
    onward.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await once(server.listen(socket), 'listening');
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

interface Settler {
  readonly way: Way;
  readonly api: ApiServer;
  /** Of our own. */
  readonly folder: string;
  readonly resolvConf: string;
  readonly fallback: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What k3s leaves on a node: processes, kubeconfigs, Flannel's file; and a pod that asks. */
export async function settleDnsNode(
  node: OverlayMember,
  { way, api, folder, resolvConf, fallback, config }: Settler,
): Promise<DnsNode> {
  const { podCidr, isServer, hostname, address } = node;
  const port = isServer ? 6443 : 6444;
  const listen = [`127.0.0.1:${port}`, ...(isServer ? [`${address}:6443`] : [])];
  const pipe = node.start([process.execPath, pipeApi, way.socket, ...listen]);
  const kubeconfig = async (user: string, path: string) => {
    const file = join(folder, `${hostname}-${user}.yaml`);
    await writeKubeconfig(file, {
      server: `https://127.0.0.1:${port}`,
      authority: api.authority.certificate,
      client: api.authority.issue({ commonName: user }),
    });
    await node.writeFile(path, await readFile(file, 'utf8'), '600');
  };
  const [pod] = await Promise.all([
    node.addPod({ name: `pod-${isServer ? 1 : 2}`, address: podCidr.replace('.0/24', '.5') }),
    pipe.waitForLine('serving'),
    masquerade(node),
    node.writeFile('/etc/resolv.conf', resolvConf),
    ...(fallback === undefined
      ? []
      : [node.writeFile('/var/lib/rancher/k3s/agent/etc/resolv.conf', fallback)]),
    node.writeFile('/run/flannel/subnet.env', subnetFile(node)),
    node.fakeProcess('k3s', [isServer ? 'server' : 'agent']),
    ...(isServer ? [kubeconfig('system:admin', '/etc/rancher/k3s/k3s.yaml')] : []),
    kubeconfig('system:kube-proxy', '/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig'),
    kubeconfig(`system:node:${hostname}`, '/var/lib/rancher/k3s/agent/kubelet.kubeconfig'),
    configure(node, config),
  ]);
  return {
    ...node,
    pod,
    cutApi: async () => {
      await pipe.stop();
    },
  };
}

const pipeApi = fileURLToPath(new URL('./pipe-api.ts', import.meta.url));
