import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flannelVtep } from '../../../src/checks/flannel-vtep/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { Fact, FactContext } from '../../../src/engine/fact.ts';
import { checksumSignsFact } from '../../../src/facts/checksum-signs.ts';
import { clusterNodesFact, type NodeFacts } from '../../../src/facts/cluster-nodes.ts';
import { firewallFact } from '../../../src/facts/firewall.ts';
import { kubeComponentsFact } from '../../../src/facts/kube-components.ts';
import { networkFact } from '../../../src/facts/network.ts';
import {
  type Overlay,
  overlayAnswersFact,
  overlaysFact,
  tunnelRoutesFact,
} from '../../../src/facts/overlay.ts';
import { podNetworkFact } from '../../../src/facts/pod-network.ts';
import { parseNodes } from '../../../src/kube/nodes.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import type { NetworkReading, Route } from '../../../src/netfilter/walk/reading.ts';
import { parseReading } from '../parse-reading.ts';

const fixture = join(import.meta.dirname, '../../../fixtures/cluster-coredns-on-unreachable-node/nodes.json');
const parsed = parseNodes(readFileSync(fixture, 'utf8'));
if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
const [recorded, recordedServer] = parsed.nodes as [NodeFacts, NodeFacts];
export const recordedWorker = recorded;

/** As seen from the server: everything in order, the worker with an address that can be reached. */
export const overlay: Overlay = {
  family: 'ipv4',
  link: 'flannel.1',
  mtu: 1450,
  mac: '5a:0b:3f:11:aa:01',
  up: true,
  vni: 1,
  port: 8472,
  local: '203.0.113.10',
  underlay: 'eth0',
  neighbours: new Map([['10.42.1.0', '5a:0b:3f:11:aa:02']]),
  fdb: new Map([['5a:0b:3f:11:aa:02', ['198.51.100.20']]]),
  checksumOffload: 'on',
  underlayDriver: 'virtio_net',
};

export const worker: NodeFacts = {
  ...recordedWorker,
  ready: true,
  externalAddresses: ['198.51.100.20'],
  flannel: { ...recordedWorker.flannel, publicIp: '198.51.100.20' },
};

const route = (destination: string, link: string, gateway?: string): Route => ({
  family: 'ipv4',
  table: 'main',
  type: 'unicast',
  destination,
  link,
  gateway,
  preferredSource: undefined,
  metric: 0,
});

const network: NetworkReading = {
  links: [
    {
      index: 2,
      name: 'eth0',
      kind: undefined,
      up: true,
      loopback: false,
      mtu: 1500,
      mac: '02:00:00:00:00:01',
      master: undefined,
      addresses: [
        {
          family: 'ipv4',
          address: '203.0.113.10',
          prefixLength: 26,
          broadcast: undefined,
          scope: 'global',
        },
      ],
    },
  ],
  routes: [
    { ...route('203.0.113.10/32', 'eth0'), table: 'local', type: 'local' },
    route('0.0.0.0/0', 'eth0', '203.0.113.1'),
    route('10.42.1.0/24', 'flannel.1', '10.42.1.0'),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};

interface Changes {
  readonly server?: Partial<NodeFacts>;
  readonly worker?: Partial<NodeFacts>;
  readonly overlay?: Partial<Overlay>;
  readonly network?: Partial<NetworkReading>;
  readonly answer?: 'answered' | 'small-only' | 'silent' | 'not-asked';
  readonly kernel?: string;
  readonly received?: number;
  readonly api?: false;
  readonly noOverlay?: true;
  /** Of iptables-nft-save. */
  readonly rules?: string;
}

/** Runs the check on those two nodes, with some things changed. */
export function diagnose(changes: Changes = {}): Promise<Diagnosis> {
  const server: NodeFacts = { ...recordedServer, ready: true, ...changes.server };
  const other: NodeFacts = { ...worker, ...changes.worker };
  const target = other.flannel.publicIp ?? '';
  const answer = changes.answer ?? 'answered';
  const values = new Map<string, unknown>([
    [
      podNetworkFact.id,
      {
        kind: 'known',
        podCidrs: ['10.42.0.0/24'],
        clusterCidrs: ['10.42.0.0/16'],
        bridge: 'cni0',
        overlayLinks: ['flannel.1'],
        mtu: 1450,
        source: 'subnet.env',
      },
    ],
    [
      clusterNodesFact.id,
      changes.api === false
        ? { kind: 'unavailable', reason: 'connection refused' }
        : { kind: 'known', nodes: [server, other], self: server, source: 'k3s.yaml' },
    ],
    [
      firewallFact.id,
      createFirewall(
        parseReading({ network, ...(changes.rules && { dumps: { 'nft ipv4': changes.rules } }) }),
      ),
    ],
    [kubeComponentsFact.id, { kubelet: true }],
    [networkFact.id, { ...network, ...changes.network }],
    [overlaysFact.id, changes.noOverlay ? [] : [{ ...overlay, ...changes.overlay }]],
    [tunnelRoutesFact.id, new Map([[target, { link: 'eth0', gateway: '203.0.113.1' }]])],
    [
      overlayAnswersFact.id,
      answer === 'not-asked'
        ? { kind: 'not-asked', reason: 'it is off' }
        : { kind: 'asked', answers: new Map([['10.42.1.0', answer]]) },
    ],
    [
      checksumSignsFact.id,
      { kernel: changes.kernel ?? '6.8.0-31-generic', received: changes.received ?? 0, udevRules: new Map() },
    ],
  ]);
  return flannelVtep.run(contextOf(values));
}

function contextOf(values: ReadonlyMap<string, unknown>): FactContext {
  const host = new Proxy({}, { get: () => () => Promise.reject(new Error('a check has no host')) });
  return {
    host: host as FactContext['host'],
    config: defaultConfig(),
    get: async <T>(fact: Fact<T>) => values.get(fact.id) as T,
    ifAsked: () => undefined,
  };
}
