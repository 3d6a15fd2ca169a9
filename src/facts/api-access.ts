import type { Fact, FactContext } from '../engine/fact.ts';
import { parseJson } from '../kube/failure-reasons.ts';
import { listeningFact } from './listening.ts';
import { isLoopbackOnly } from './listening-socket.ts';

/** Where the API is that this node's own programs, and on a server other nodes, talk to. */
export interface ApiAccess {
  /** At which this node itself serves it to others; none on an agent. */
  readonly servedAt: readonly number[];
  /** Servers that an agent talks to. */
  readonly servers: readonly ApiServer[];
}

export interface ApiServer {
  readonly address: string;
  readonly port: number;
}

export const apiAccessFact: Fact<ApiAccess> = {
  id: 'api-access',
  async gather(context) {
    const { config, host } = context;
    const [urls, listening, ...own] = await Promise.all([
      readServers(context),
      context.get(listeningFact),
      host.localAddresses('ipv4'),
      host.localAddresses('ipv6'),
    ]);
    const ownAddresses = new Set(own.flat());
    const isHere = ({ address }: ApiServer) => isLoopback(address) || ownAddresses.has(address);
    // What cannot be looked at is taken to be there.
    const isServed = (port: number) =>
      listening.kind === 'unavailable' ||
      listening.sockets.some(
        (socket) => socket.protocol === 'tcp' && socket.port === port && !isLoopbackOnly(socket),
      );
    const servedAt = urls
      .filter(isHere)
      .map(({ port }) => port)
      .filter(isServed);
    // An agent's own proxy: it knows the servers behind it.
    const isProxied = urls.some((server) => isHere(server) && !isServed(server.port));
    const behind = isProxied ? await readLoadBalancers(context, config.paths.k3sData) : [];
    const servers = [...urls, ...behind].filter((server) => !isHere(server) && isAddress(server.address));
    return { servedAt: [...new Set(servedAt)], servers: unlike(servers) };
  },
};

/** The kubeconfigs are read for the address alone. */
async function readServers({ host, config }: FactContext): Promise<readonly ApiServer[]> {
  const paths = [
    ...(config.kubeconfig === undefined ? [] : [config.kubeconfig]),
    '/etc/rancher/k3s/k3s.yaml',
    `${config.paths.k3sData}/agent/kubelet.kubeconfig`,
  ];
  const files = await Promise.all(paths.map((path) => host.readFile(path)));
  if (files.every(({ kind }) => kind === 'absent')) return [{ address: '127.0.0.1', port: 6443 }];
  return files.flatMap((file) => {
    const text = file.kind === 'read' ? file.text : '';
    return [...text.matchAll(/\bserver"?:\s*["']?(https?:\/\/[^\s"',}]+)/g)].flatMap(([, url = '']) =>
      parseServer(url),
    );
  });
}

/** What k3s' agent keeps of the servers that it may ask. */
async function readLoadBalancers({ host }: FactContext, k3sData: string): Promise<readonly ApiServer[]> {
  const names = ['k3s-agent-load-balancer', 'k3s-api-server-agent-load-balancer'];
  const files = await Promise.all(names.map((name) => host.readFile(`${k3sData}/agent/etc/${name}.json`)));
  return files.flatMap((file) => {
    const json = file.kind === 'read' ? parseJson(file.text) : undefined;
    if (typeof json !== 'object' || json === null) return [];
    const url = 'ServerURL' in json && typeof json.ServerURL === 'string' ? [json.ServerURL] : [];
    const list = 'ServerAddresses' in json && Array.isArray(json.ServerAddresses) ? json.ServerAddresses : [];
    const addresses = list.filter((each) => typeof each === 'string').map((each) => `https://${each}`);
    return [...url, ...addresses].flatMap(parseServer);
  });
}

function parseServer(text: string): readonly ApiServer[] {
  if (!URL.canParse(text)) return [];
  const { hostname, port, protocol } = new URL(text);
  const address = hostname.replace(/^\[|\]$/g, '');
  return [{ address, port: Number(port) || (protocol === 'http:' ? 80 : 443) }];
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.[\d.]+$/.test(address);
}

/** Where a name leads is not looked up: that would be to ask the network. */
function isAddress(text: string): boolean {
  return text.includes(':') || /^[\d.]+$/.test(text);
}

function unlike(servers: readonly ApiServer[]): readonly ApiServer[] {
  return [...new Map(servers.map((server) => [`${server.address} ${server.port}`, server])).values()];
}
