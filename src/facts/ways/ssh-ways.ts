import { type Family, families } from '../../netfilter/ruleset.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import type { SshAccess, SshSession } from '../ssh-access.ts';
import { sampleAddresses } from './sample-addresses.ts';
import { at, clientPort, received, sent, type Way } from './way.ts';
import { isOwn, wayBetween } from './way-between.ts';

export interface SshWays {
  readonly ssh: SshAccess;
  readonly network: NetworkReading;
  /** From which there may be connections, besides the peers of those that are open. */
  readonly sources: readonly string[];
}

/** New connections, and the packets of those that are open, in both directions. */
export function sshWays({ ssh, network, sources }: SshWays): readonly Way[] {
  const peers = new Set([...ssh.sessions.map(({ peer }) => peer), ...sources]);
  // Of several from one place one stands for all.
  const sessions = new Map(ssh.sessions.map((each) => [`${each.peer} ${each.address} ${each.port}`, each]));
  return [
    ...[...sessions.values()].flatMap((session) => openWays(session, network)),
    ...[...peers].flatMap((peer) => ssh.ports.flatMap((port) => newWays(peer, port, network))),
  ];
}

/** Somewhere outside, over the default route; in networks that are for documentation. */
export const outsiders: Readonly<Record<Family, string>> = { ipv4: '198.51.100.7', ipv6: '2001:db8::7' };

/** Samples of the configured networks, an outsider, and a neighbour on each network that the node is in. */
export function generalSources(adminNetworks: readonly string[], network: NetworkReading): readonly string[] {
  return [
    ...adminNetworks.flatMap(sampleAddresses),
    ...families.map((family) => outsiders[family]),
    ...neighbours(network),
  ];
}

function neighbours(network: NetworkReading): readonly string[] {
  const links = (network.links ?? []).filter(({ name, loopback }) => !loopback && !ofContainers.test(name));
  return links.flatMap(({ addresses }) =>
    addresses
      .filter(({ scope }) => scope === 'global')
      .flatMap(({ address, prefixLength }) =>
        sampleAddresses(`${address}/${prefixLength}`)
          .filter((each) => !isOwn(network, each))
          .slice(-1),
      ),
  );
}

/** Who is behind these does not come to administer the node. */
const ofContainers = /^(cni|flannel|docker|br-|veth|kube-|cali|cilium|lxc|podman|nodelocaldns|virbr)/;

/** A tunnel's program may be the peer, on this very node. */
function openWays({ peer, peerPort, address, port }: SshSession, network: NetworkReading): Way[] {
  const client = { address: peer, port: peerPort };
  const server = { address, port };
  const incoming = { from: client, to: server, state: 'ESTABLISHED' } as const;
  const links = wayBetween(network, peer)?.links ?? [undefined];
  const packets = isOwn(network, peer) ? [sent(incoming)] : received(incoming, links);
  return [
    ...packets.map((packet) => ({ title: `the open SSH session with ${peer}`, packet })),
    {
      title: `what this node sends in the open SSH session with ${peer}`,
      packet: sent({ from: server, to: client, state: 'ESTABLISHED' }),
    },
  ];
}

function newWays(peer: string, port: number, network: NetworkReading): Way[] {
  const between = isOwn(network, peer) ? undefined : wayBetween(network, peer);
  if (!between) return [];
  const client = { address: peer, port: clientPort };
  const server = { address: between.own, port };
  return [
    ...received({ from: client, to: server, state: 'NEW' }, between.links).map((packet) => ({
      title: `a new SSH connection from ${peer} to ${at(server)}`,
      packet,
    })),
    {
      title: `the answer of SSH to ${peer}`,
      packet: sent({ from: server, to: client, state: 'ESTABLISHED' }),
    },
  ];
}
