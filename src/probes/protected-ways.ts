import { DoctorError } from '../doctor-error.ts';
import type { Fact, FactContext } from '../engine/fact.ts';
import { type ApiAccess, apiAccessFact } from '../facts/api-access.ts';
import { type ClusterNodes, clusterNodesFact } from '../facts/cluster-nodes.ts';
import { type PodNetwork, podNetworkFact } from '../facts/pod-network.ts';
import { sshAccessFact } from '../facts/ssh-access.ts';
import { apiWays } from '../facts/ways/api-ways.ts';
import { namedSources } from '../facts/ways/named-sources.ts';
import { generalSources, sshWays } from '../facts/ways/ssh-ways.ts';
import type { Party, Way } from '../facts/ways/way.ts';
import { backends, families } from '../netfilter/ruleset.ts';
import type { FirewallReading } from '../netfilter/walk/reading.ts';

/** Whether there is an SSH server, or an API here or that this node needs. */
export async function isAnybodyThere({ get }: FactContext): Promise<boolean> {
  const [ssh, api] = await Promise.all([get(sshAccessFact), get(apiAccessFact)]);
  return ssh.ports.length + api.servedAt.length + api.servers.length > 0;
}

/** The ways that a change of the firewall must not cut. */
export async function findWays(context: FactContext, reading: FirewallReading): Promise<readonly Way[]> {
  const [ssh, api] = await Promise.all([context.get(sshAccessFact), context.get(apiAccessFact)]);
  const { network } = reading;
  const sources = [
    ...generalSources(context.config.guards.adminNetworks, network),
    ...families.flatMap((family) => namedSources(reading, family, ssh.ports)),
  ];
  return [...sshWays({ ssh, network, sources }), ...(await findApiWays(context, api, reading))];
}

async function findApiWays(
  context: FactContext,
  api: ApiAccess,
  reading: FirewallReading,
): Promise<readonly Way[]> {
  if (api.servedAt.length + api.servers.length === 0) return [];
  const [nodes, pods] = await Promise.all([
    // The API may be down, and the fix may be what brings it up.
    api.servedAt.length > 0 ? orUnavailable(context, clusterNodesFact) : noNodes,
    orUnavailable(context, podNetworkFact),
  ]);
  const { adminNetworks } = context.config.guards;
  const services = apiServices(reading);
  return apiWays({ api, network: reading.network, nodes, pods, services, adminNetworks });
}

const noNodes = { kind: 'unavailable', reason: 'not asked for' } as const satisfies ClusterNodes & PodNetwork;

async function orUnavailable<T>(
  { get }: FactContext,
  fact: Fact<T>,
): Promise<T | { readonly kind: 'unavailable'; readonly reason: string }> {
  try {
    return await get(fact);
  } catch (error) {
    if (!(error instanceof DoctorError) || error.code !== 'undetermined') throw error;
    return { kind: 'unavailable', reason: error.message };
  }
}

/** The cluster address of `default/kubernetes`, as kube-proxy's rules name it. */
function apiServices({ iptables }: FirewallReading): readonly Party[] {
  const found = new Map<string, Party>();
  for (const backend of backends)
    for (const family of families) {
      const dump = iptables[backend][family];
      const text = dump.kind === 'present' ? dump.ruleset.text : '';
      const [, address = '', port = ''] =
        / -d (\S+)\/(?:32|128) -p tcp -m comment --comment "default\/kubernetes:https cluster IP" -m tcp --dport (\d+) /.exec(
          text,
        ) ?? [];
      if (address !== '') found.set(`${address} ${port}`, { address, port: Number(port) });
    }
  return [...found.values()];
}
