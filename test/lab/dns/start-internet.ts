import { fileURLToPath } from 'node:url';
import type { Client, LabNode } from '../node/start-node.ts';
import type { Behaviour } from './behaviour.ts';

/** What is behind the nodes' default gateway: public resolvers, and those of the provider. */
export interface Internet extends Client {
  /** Has the provider's network let nobody send to these servers' port 53, besides what it stops already. */
  block(servers: readonly string[], how: Blocking): Promise<void>;
  unblock(): Promise<void>;
}

export interface Blocking {
  readonly by: 'drop' | 'reject';
  /** Default both. */
  readonly protocols?: readonly ('udp' | 'tcp')[];
}

export const publicResolvers = [
  ...['8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1', '9.9.9.9', '149.112.112.112'],
  ...['208.67.222.222', '208.67.220.220'],
] as const;

export const providerResolvers = ['185.12.64.1', '185.12.64.2'] as const;

/**
 * Starts the gateway of two joined nodes, with real resolvers (dnsmasq) at well-known addresses. They know
 * `registry-1.docker.io` and `example.org`; no other name exists. Nothing of it leaves the namespaces.
 *
 * `odd`: servers that misbehave, in place of a real one or at an address of their own.
 */
export async function startInternet(
  node: LabNode,
  odd: Readonly<Record<string, Behaviour>> = {},
): Promise<Internet> {
  const client = await node.addClient({ name: 'internet', address: gateway, address6: 'fd00:60::fe' });
  const real = [...publicResolvers, ...providerResolvers].filter((address) => !(address in odd));
  const addresses = [...real, ...Object.keys(odd)].filter((address) => address !== gateway);
  await client.run(['ip', '-batch', '-'], {
    input: addresses.map((address) => `addr add ${address}/32 dev lo\n`).join(''),
  });
  // Else only the first of several rejections within a second would be told.
  await client.run(['sh', '-c', 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit']);
  // dnsmasq leaves the ones to others that it was not told of.
  const listen = real.map((address) => `--listen-address=${address}`);
  await client
    .start(['sh', '-c', 'exec "$0" "$@" 2>&1', 'dnsmasq', ...options, ...listen])
    .waitForLine('started');
  if (Object.keys(odd).length > 0) {
    const servers = Object.entries(odd).map(([address, behaviour]) => `${address}=${behaviour}`);
    await client.start([process.execPath, serveDns, ...servers]).waitForLine('serving');
  }
  return {
    ...client,
    block: async (servers, { by, protocols = ['udp', 'tcp'] }) => {
      const verdict = by === 'drop' ? '-j DROP' : '-j REJECT --reject-with icmp-port-unreachable';
      const rule = (server: string) =>
        protocols.map((protocol) => `-A INPUT -d ${server} -p ${protocol} --dport 53 ${verdict}`);
      const rules = ['*filter', ...servers.flatMap(rule), 'COMMIT', ''].join('\n');
      await client.run(['iptables-nft-restore', '--noflush'], { input: rules });
    },
    unblock: async () => {
      await client.run(['iptables-nft', '-F', 'INPUT']);
    },
  };
}

const gateway = '192.168.60.254';
const serveDns = fileURLToPath(new URL('./serve-dns.ts', import.meta.url));

const options = [
  ...['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file='],
  ...['--user=root', '--no-resolv', '--no-hosts', '--bind-interfaces', '--local-ttl=5'],
  ...['--address=/registry-1.docker.io/203.0.113.80', '--address=/example.org/203.0.113.81', '--address=/#/'],
] as const;
