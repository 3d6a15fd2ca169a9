/**
 * world-open: whether strangers get to ports that only the cluster's own hosts have business with.
 * Everything here is a pure function of facts.
 */
import { type Check, defineCheck, planNothing, withoutFindings } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { clusterFlowsFact } from '../../facts/cluster-flows.ts';
import { firewallFact } from '../../facts/firewall.ts';
import { firewalldFact } from '../../facts/firewalld.ts';
import { listeningFact } from '../../facts/listening.ts';
import { isLoopbackOnly, type ListeningSocket, listensOn } from '../../facts/listening-socket.ts';
import { ufwFact } from '../../facts/ufw.ts';
import { type ClusterPort, clusterPorts } from './cluster-ports.ts';
import { describeExposure } from './describe-exposure.ts';
import { type FrontDoor, findFrontDoors } from './front-doors.ts';
import { walkStrangers } from './walk-strangers.ts';

export const worldOpen: Check = defineCheck({
  id: 'world-open',
  title: 'No cluster port is open to the world',
  failureTitle: 'Cluster ports are open to the world',
  severity: 'warning',
  why: 'Whoever can send to the overlay port is inside the pod network; kubelet and etcd are the cluster itself.',
  facts: {
    firewall: firewallFact,
    listening: listeningFact,
    flows: clusterFlowsFact,
    ufw: ufwFact,
    firewalld: firewalldFact,
  },
  diagnose({ firewall, listening, flows, ufw, firewalld }) {
    if (listening.kind === 'unavailable') {
      return withoutFindings('unknown', [`what is open here is not known: ${listening.reason}`]);
    }
    const open = clusterPorts.flatMap((port) => {
      const sockets = listening.sockets.filter((socket) => isAt(socket, port) && !isLoopbackOnly(socket));
      return sockets.length > 0 ? [{ port, sockets }] : [];
    });
    if (open.length === 0)
      return withoutFindings('skipped', ['none of the ports of a cluster is open on this node']);
    const { links, routes } = firewall.reading.network;
    if (links === undefined || routes === undefined) {
      return withoutFindings('unknown', ["this node's links and routes could not be read"]);
    }
    const doors = findFrontDoors(firewall.reading.network);
    if (doors.length === 0)
      return withoutFindings('skipped', ['this node has no default route: no stranger gets here']);
    const findings: Finding[] = [];
    const reasons: string[] = [];
    for (const { port, sockets } of open) {
      for (const door of doors) {
        const reachable = reachableAt(door, sockets);
        if (reachable.addresses.length === 0) continue;
        const exposure = walkStrangers(firewall, port, reachable);
        if (exposure.kind === 'unknown') {
          reasons.push(
            `whether strangers get to ${port.port}/${port.protocol} over ${door.link} cannot be told: ${exposure.reason}`,
          );
        }
        if (exposure.kind === 'open') {
          const about = { port, door, exposure, needed: flows.needed, ufw, firewalld };
          findings.push(describeExposure(about));
        }
      }
    }
    return {
      outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
      reasons,
      findings,
      limits:
        findings.length > 0
          ? ["A provider's firewall or security group in front of this node cannot be seen from here."]
          : [],
      notes: doors.map(describeDoor),
      plan: planNothing,
    };
  },
});

function isAt(socket: ListeningSocket, { port, protocol }: ClusterPort): boolean {
  return socket.port === port && socket.protocol === protocol;
}

function reachableAt(door: FrontDoor, sockets: readonly ListeningSocket[]): FrontDoor {
  const addresses = door.addresses.filter((address) =>
    sockets.some((socket) => listensOn(socket, door.family, address)),
  );
  return { ...door, addresses };
}

function describeDoor({ family, link, addresses, isPrivate }: FrontDoor): string {
  const kind = isPrivate ? 'private' : 'public';
  return `${family}: strangers come over ${link} to ${addresses.join(', ')} (${kind})`;
}
