import type { Severity } from '../../engine/finding.ts';

/** A port that only other hosts of the cluster have business with. */
export interface ClusterPort {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly title: string;
  /** What somebody can do who gets there. */
  readonly risk: string;
  /** Where anybody on the internet can get there; behind NAT it is one less. */
  readonly severity: Severity;
}

const etcdRisk =
  'etcd holds all of the cluster, secrets included; a client certificate is all that guards it, and nobody but servers needs it';
const wireguardRisk = 'WireGuard answers to known keys alone: little is lost, and little is won';

export const clusterPorts: readonly ClusterPort[] = [
  {
    port: 8472,
    protocol: 'udp',
    title: 'VXLAN',
    risk: 'VXLAN knows no password: who sends here the right packet is in the pod network, past every firewall and NetworkPolicy of the outside',
    severity: 'error',
  },
  { port: 2379, protocol: 'tcp', title: 'etcd, for clients', risk: etcdRisk, severity: 'error' },
  { port: 2380, protocol: 'tcp', title: 'etcd, for servers', risk: etcdRisk, severity: 'error' },
  {
    port: 10_250,
    protocol: 'tcp',
    title: 'kubelet',
    risk: 'kubelet runs commands in pods for whoever can authenticate: a leaked token or a fault in it is enough',
    severity: 'warning',
  },
  { port: 51_820, protocol: 'udp', title: 'WireGuard', risk: wireguardRisk, severity: 'info' },
  { port: 51_821, protocol: 'udp', title: 'WireGuard', risk: wireguardRisk, severity: 'info' },
];
