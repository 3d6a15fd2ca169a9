import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import type { ApiAccess } from '../api-access.ts';
import type { ClusterNodes } from '../cluster-nodes.ts';
import type { PodNetwork } from '../pod-network.ts';
import { familyOf, sampleAddresses } from './sample-addresses.ts';
import { outsiders } from './ssh-ways.ts';
import { at, clientPort, type Party, received, sent, type Way } from './way.ts';
import { isOwn, wayBetween } from './way-between.ts';

export interface ApiWays {
  readonly api: ApiAccess;
  readonly network: NetworkReading;
  readonly nodes: ClusterNodes;
  readonly pods: PodNetwork;
  /** Of the Service `default/kubernetes`, as the rules have it. */
  readonly services: readonly Party[];
  /** As configured: whence operators come. */
  readonly adminNetworks: readonly string[];
}

/**
 * To the API on a server: from here, from the other nodes, from pods and from where operators are. On an
 * agent: from here to a server.
 */
export function apiWays(given: ApiWays): readonly Way[] {
  const { servedAt, servers } = given.api;
  const clients = [...nodeClients(given), ...adminClients(given), ...podClients(given)];
  return [
    ...servedAt.map(localWay),
    ...servedAt.flatMap((port) => clients.flatMap((client) => waysIn(client, port))),
    ...serviceWays(given),
    ...servers.flatMap((server) => waysOut(server, given.network)),
  ];
}

interface Client {
  readonly who: string;
  readonly address: string;
  readonly links: readonly (string | undefined)[];
  /** This node's address that it asks. */
  readonly server: string;
}

function nodeClients({ nodes, network }: ApiWays): Client[] {
  if (nodes.kind === 'unavailable') return [];
  return nodes.nodes
    .filter((node) => node !== nodes.self)
    .flatMap(({ name, internalAddresses }) =>
      internalAddresses.flatMap((address) => outside(network, address, `node ${name} (${address})`)),
    );
}

function adminClients({ adminNetworks, network }: ApiWays): Client[] {
  return adminNetworks.flatMap(sampleAddresses).flatMap((address) => outside(network, address, address));
}

function outside(network: NetworkReading, address: string, who: string): Client[] {
  const between = isOwn(network, address) ? undefined : wayBetween(network, address);
  return between ? [{ who, address, links: between.links, server: between.own }] : [];
}

function podClients({ pods, network }: ApiWays): Client[] {
  if (pods.kind !== 'known') return [];
  return pods.podCidrs.flatMap((cidr): Client[] => {
    const [, address] = sampleAddresses(cidr);
    if (address === undefined) return [];
    // Not that of the pods' bridge: they go by the address that the API is announced at.
    const between = wayBetween(network, outsiders[familyOf(address)]) ?? wayBetween(network, address);
    if (!between) return [];
    return [{ who: `a pod (${address})`, address, links: [pods.bridge], server: between.own }];
  });
}

function localWay(port: number): Way {
  const server = { address: '127.0.0.1', port };
  return {
    title: `this node's own connection to the API at ${at(server)}`,
    packet: sent({ from: { address: '127.0.0.1', port: clientPort }, to: server, state: 'NEW' }),
  };
}

function waysIn({ who, address, links, server }: Client, port: number): Way[] {
  const client = { address, port: clientPort };
  const api = { address: server, port };
  return [
    ...received({ from: client, to: api, state: 'NEW' }, links).map((packet) => ({
      title: `a new connection from ${who} to the API at ${at(api)}`,
      packet,
    })),
    {
      title: `the API's answer to ${who}`,
      packet: sent({ from: api, to: client, state: 'ESTABLISHED' }),
    },
  ];
}

function serviceWays(given: ApiWays): Way[] {
  return podClients(given).flatMap(({ who, address, links }) =>
    given.services
      .filter((service) => familyOf(service.address) === familyOf(address))
      .flatMap((service) =>
        received({ from: { address, port: clientPort }, to: service, state: 'NEW' }, links).map((packet) => ({
          title: `a new connection from ${who} to the API's Service at ${at(service)}`,
          packet,
          isService: true,
        })),
      ),
  );
}

function waysOut(server: Party, network: NetworkReading): Way[] {
  const between = wayBetween(network, server.address);
  if (!between) return [];
  const client = { address: between.own, port: clientPort };
  return [
    {
      title: `this node's new connection to the API at ${at(server)}`,
      packet: sent({ from: client, to: server, state: 'NEW' }),
    },
    ...received({ from: server, to: client, state: 'ESTABLISHED' }, between.links).map((packet) => ({
      title: `the answer of the API at ${at(server)}`,
      packet,
    })),
  ];
}
