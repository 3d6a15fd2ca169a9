/**
 * A cluster of two nodes for DNS: an overlay as Flannel makes it, an API server with state, CoreDNS in a pod, its
 * Service on both nodes, and behind their gateway the internet with its resolvers.
 *
 * Node 1 (192.168.60.11) is the server. Real are the kernel, CoreDNS, the resolvers, TLS and HTTP; what k3s does in
 * between is `stand-in/`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeAuthorizer } from '../api-server/access.ts';
import { createAuthority } from '../api-server/certificates.ts';
import { type ClusterState, createClusterState } from '../api-server/cluster-state.ts';
import { type ApiServer, type SeenRequest, startApiServer } from '../api-server/server.ts';
import type { Place } from '../node/create-place.ts';
import { startNode } from '../node/start-node.ts';
import { joinOverlay } from '../overlay/join-overlay.ts';
import { specOf } from '../overlay/overlay-member.ts';
import type { Behaviour } from './behaviour.ts';
import { clusterObjects, recordedCorefile } from './cluster-objects.ts';
import { packagedManifest } from './packaged-manifest.ts';
import { type DnsNode, openWay, settleDnsNode } from './settle-dns-node.ts';
import { type ControlPlane, startControlPlane } from './stand-in/control-plane.ts';
import { putFirstPod } from './stand-in/deployment.ts';
import { restartK3s } from './stand-in/restart-k3s.ts';
import { type Internet, startInternet } from './start-internet.ts';

export interface DnsCluster extends AsyncDisposable {
  readonly first: DnsNode;
  readonly second: DnsNode;
  readonly internet: Internet;
  readonly api: ApiServer;
  readonly state: ClusterState;
  readonly controlPlane: ControlPlane;
  /** On the server. */
  restartK3s(): Promise<void>;
  /** What was written through the API so far: not by the controllers here. */
  writes(): readonly SeenRequest[];
}

export interface DnsClusterOptions {
  /** The program. */
  readonly coredns: string;
  /** Where its pod is at the beginning; default `node-1`. */
  readonly on?: 'node-1' | 'node-2';
  /** Default: as it was recorded. k3s' manifest has the same with another `forward`. */
  readonly corefile?: string;
  /** ConfigMap `coredns-custom`; without, there is none. */
  readonly custom?: Readonly<Record<string, string>>;
  /** Of both nodes; default names the provider's resolvers. */
  readonly resolvConf?: string;
  /** What kubelet gives to pods in its stead, as k3s writes it when the host's will not do. */
  readonly fallback?: string;
  readonly odd?: Readonly<Record<string, Behaviour>>;
  /** Default 200. */
  readonly volumeDelayMs?: number;
  /** Of the product on both nodes. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Starts it, and waits until CoreDNS answers on both nodes. Some 2 s. */
export async function startDnsCluster(options: DnsClusterOptions): Promise<DnsCluster> {
  await using stack = new AsyncDisposableStack();
  const { on = 'node-1', resolvConf = usualResolvConf, volumeDelayMs = 200 } = options;
  const specs = [specOf(1, false), specOf(2, false)] as const;
  const [one, two] = await Promise.all([startNode(specs[0]), startNode(specs[1])]);
  stack.use(one);
  stack.use(two);
  const members = [
    { ...one, ...specs[0] },
    { ...two, ...specs[1] },
  ] as const;
  await joinOverlay(...members);
  const internet = await startInternet(one, options.odd);

  const { corefile = await recordedCorefile(), custom } = options;
  const manifest = await packagedManifest(corefile);
  const state = createClusterState(await clusterObjects(specs, { corefile, custom }));
  const authority = createAuthority('k3s-server-ca');
  const logs: { read: (path: string) => string | undefined } = { read: () => undefined };
  const hosts = ['127.0.0.1', apiAddress, '10.43.0.1', 'kubernetes.default.svc'];
  const token = 'token-of-coredns';
  const api = await startApiServer({
    state,
    authority,
    read: (path) => logs.read(path),
    may: nodeAuthorizer,
    tokens: new Map([[token, 'system:serviceaccount:kube-system:coredns']]),
    serverCertificate: authority.issue({ commonName: 'kube-apiserver', hosts }),
  });
  stack.defer(() => api.close());
  const folder = await mkdtemp(join(tmpdir(), 'k3s-doctor-lab-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const way = stack.use(await openWay(api, join(folder, 'api')));

  await one.writeFile('/var/lib/rancher/k3s/server/manifests/coredns.yaml', manifest, '600');
  const [first, second] = await Promise.all(
    members.map((member) =>
      settleDnsNode(member, {
        way,
        api,
        folder,
        config: options.config ?? {},
        resolvConf,
        fallback: options.fallback,
      }),
    ),
  );
  if (first === undefined || second === undefined) throw new Error('two nodes were started');

  putFirstPod(state, on);
  const asWorker = (node: DnsNode) => ({
    node,
    podPrefix: node.podCidr.replace(/0\/24$/, ''),
    resolvConf: options.fallback ?? resolvConf,
  });
  const server = asWorker(first);
  const controlPlane = startControlPlane({
    state,
    nodes: new Map([
      [first.hostname, server],
      [second.hostname, asWorker(second)],
    ]),
    pod: { coredns: options.coredns, authority: authority.certificate, token },
    apiServer: `${apiAddress}:6443`,
    volumeDelayMs,
  });
  stack.defer(() => controlPlane.stop());
  logs.read = controlPlane.kubelet.readLog;
  await controlPlane.settled();

  const owned = stack.move();
  return {
    first,
    second,
    internet,
    api,
    state,
    controlPlane,
    restartK3s: () => restartK3s(state, server, manifest),
    writes: () => api.requests.filter(({ method }) => method !== 'GET'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Asks from there as a program in a pod does; `server`: default the cluster's DNS address. */
export async function lookup(from: Place, name: string, server = '10.43.0.10'): Promise<string> {
  return (await from.run([process.execPath, lookupProgram, name, server])).trimEnd();
}

const lookupProgram = fileURLToPath(new URL('./lookup.ts', import.meta.url));
const apiAddress = '192.168.60.11';
const usualResolvConf = 'nameserver 185.12.64.1\nnameserver 185.12.64.2\n';
