import type { Severity } from '../../engine/finding.ts';
import type { ApiAccess } from '../../facts/api-access.ts';
import type { Listening } from '../../facts/listening.ts';
import type { NatClaims } from '../../facts/nat-claims.ts';
import type { PodNetwork } from '../../facts/pod-network.ts';
import type { SshAccess } from '../../facts/ssh-access.ts';
import { apiWays } from '../../facts/ways/api-ways.ts';
import { familyOf, sampleAddresses } from '../../facts/ways/sample-addresses.ts';
import { generalSources, sshWays } from '../../facts/ways/ssh-ways.ts';
import { clientPort, received, type Way } from '../../facts/ways/way.ts';
import { wayBetween } from '../../facts/ways/way-between.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';

/** Something that has to get through, as packets that stand for it. */
export interface EssentialFlow {
  /** The same words in every run: `pods to cluster DNS`. */
  readonly name: string;
  /** What does not work without it. */
  readonly hurts: string;
  readonly severity: Severity;
  readonly ways: readonly Way[];
  /** `any`: one way that is open is enough, as nobody said which has to be. */
  readonly need: 'all' | 'any';
}

interface Known {
  readonly network: NetworkReading;
  readonly pods: PodNetwork;
  readonly claims: readonly NatClaims[];
  readonly listening: Listening;
  readonly ssh: SshAccess;
  readonly api: ApiAccess;
  readonly adminNetworks: readonly string[];
}

export function findFlows(known: Known): readonly EssentialFlow[] {
  return [...apiFlows(known), dnsFlow(known), kubeletFlow(known), ...sshFlows(known)];
}

function apiFlows({ api, network, pods, claims }: Known): readonly EssentialFlow[] {
  const services = serviceAddresses(claims, /^default\/kubernetes:/);
  const nodes = { kind: 'unavailable', reason: 'ufw-overlay looks at them' } as const;
  const here = { api, network, nodes, services, adminNetworks: [] };
  const own = apiWays({ ...here, pods: { kind: 'unavailable', reason: 'not asked for' } });
  const all = apiWays({ ...here, pods });
  const titles = new Set(own.map(({ title }) => title));
  return [
    {
      name: 'this node to the API',
      hurts: 'kubelet and kube-proxy lose touch with the cluster: the node turns NotReady',
      severity: 'error',
      ways: own,
      need: 'all',
    },
    {
      name: 'pods to the API',
      hurts: 'controllers, ingress and CoreDNS in pods of this node stand still',
      severity: 'error',
      ways: all.filter(({ title }) => !titles.has(title)),
      need: 'all',
    },
  ];
}

/** By the addresses that kube-proxy's rules claim for it. */
function dnsFlow({ claims, pods }: Known): EssentialFlow {
  const ways = serviceAddresses(claims, /^kube-system\/kube-dns:dns(-tcp)?$/).flatMap(
    ({ address, port, protocol }) =>
      podsOf(pods)
        .filter((pod) => familyOf(pod.address) === familyOf(address))
        .map((pod): Way => {
          const transport = { protocol, sourcePort: clientPort, destinationPort: port } as const;
          return {
            title: `a question from a pod (${pod.address}) to cluster DNS at ${address} port ${port}/${protocol}`,
            packet: {
              family: familyOf(address),
              origin: { kind: 'link', name: pod.link },
              source: pod.address,
              destination: address,
              transport,
              state: 'NEW',
            },
            isService: true,
          };
        }),
  );
  return {
    name: 'pods to cluster DNS',
    hurts: 'pods of this node resolve no name',
    severity: 'error',
    ways,
    need: 'all',
  };
}

const kubeletPort = 10_250;

/** From pods, as metrics-server asks; other nodes are what ufw-overlay looks at. */
function kubeletFlow({ pods, network, listening }: Known): EssentialFlow {
  const isOpen =
    listening.kind === 'known' &&
    listening.sockets.some(({ protocol, port }) => protocol === 'tcp' && port === kubeletPort);
  const ways = (isOpen ? podsOf(pods) : []).flatMap(({ address, link }) => {
    const between = wayBetween(network, address);
    if (!between) return [];
    const what = {
      from: { address, port: clientPort },
      to: { address: between.own, port: kubeletPort },
      state: 'NEW',
    } as const;
    return received(what, [link]).map((packet) => ({
      title: `a new connection from a pod (${address}) to kubelet at ${between.own} port ${kubeletPort}`,
      packet,
    }));
  });
  return {
    name: 'pods to kubelet',
    hurts: 'metrics-server has no figures of this node',
    severity: 'warning',
    ways,
    need: 'all',
  };
}

/** From where operators come: as configured, and as they are connected now; else from anywhere at all. */
function sshFlows({ ssh, network, adminNetworks }: Known): readonly EssentialFlow[] {
  const hurts = 'nobody can log in to repair this node';
  const peers = ssh.sessions.map(({ peer }) => peer);
  const named = [...new Set([...adminNetworks.flatMap(sampleAddresses), ...peers])];
  const isNew = ({ packet }: Way) => packet.state === 'NEW';
  const waysFrom = (sources: readonly string[]) =>
    sshWays({ ssh: { ...ssh, sessions: [] }, network, sources }).filter(isNew);
  return named.length > 0
    ? [{ name: 'operators to SSH', hurts, severity: 'error', ways: waysFrom(named), need: 'all' }]
    : [
        {
          name: 'anybody to SSH',
          hurts,
          severity: 'error',
          ways: waysFrom(generalSources([], network)),
          need: 'any',
        },
      ];
}

interface PodAddress {
  readonly address: string;
  readonly link: string;
}

function podsOf(pods: PodNetwork): readonly PodAddress[] {
  if (pods.kind !== 'known') return [];
  return pods.podCidrs.flatMap((cidr) =>
    sampleAddresses(cidr)
      .slice(1, 2)
      .map((address) => ({ address, link: pods.bridge })),
  );
}

interface ServiceAddress {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

function serviceAddresses(claims: readonly NatClaims[], name: RegExp): readonly ServiceAddress[] {
  const found = new Map<string, ServiceAddress>();
  for (const { servicePort = '', address, port, protocol } of claims.flatMap((each) => each.claims)) {
    if (!name.test(servicePort) || address === undefined) continue;
    if (protocol === 'tcp' || protocol === 'udp')
      found.set(`${address} ${port} ${protocol}`, { address, port, protocol });
  }
  return [...found.values()];
}
