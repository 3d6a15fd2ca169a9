import { forwardRules } from '../../../src/checks/forward-rules/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { PodNetwork } from '../../../src/facts/pod-network.ts';
import type { Ufw } from '../../../src/facts/ufw.ts';
import type { UfwBackend } from '../../../src/facts/ufw-backend.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import type { Link, NetworkReading, Route } from '../../../src/netfilter/walk/reading.ts';
import { givenFacts } from '../../facts/given-facts.ts';
import { parseReading, type ReadingTexts } from '../parse-reading.ts';

export interface Given extends Partial<ReadingTexts> {
  readonly pods?: PodNetwork;
  readonly ufw?: Ufw;
  readonly ufwBackend?: UfwBackend;
  readonly firewalld?: boolean;
}

export const pods = {
  kind: 'known',
  podCidrs: ['10.42.0.0/24'],
  clusterCidrs: ['10.42.0.0/16'],
  bridge: 'cni0',
  overlayLinks: ['flannel.1'],
  mtu: 1450,
  source: '/run/flannel/subnet.env',
} as const satisfies PodNetwork;

/** What the check says of a node with pods in 10.42.0.0/24, and another one's in 10.42.1.0/24. */
export async function diagnose(given: Given = {}): Promise<Diagnosis> {
  const nowhere = { ipv4: undefined, ipv6: undefined };
  const { ufw = { kind: 'absent' }, ufwBackend = nowhere, firewalld = false } = given;
  const reading = parseReading({ network, ...given });
  const context = await givenFacts(
    {
      'pod-network': given.pods ?? pods,
      firewall: createFirewall(reading),
      ufw,
      'ufw-backend': ufwBackend,
      firewalld,
    },
    defaultConfig(),
  );
  return forwardRules.run(context);
}

/** The commands and batches of the plan that repairs all that can be repaired. */
export function activeUfw(
  routed: 'deny' | 'reject',
  rules: Extract<Ufw, { kind: 'active' }>['rules'] = [],
): Ufw {
  return {
    kind: 'active',
    defaults: { incoming: 'deny', outgoing: 'allow', routed },
    ipv6: true,
    rules,
  };
}

const link = (name: string, index: number, addresses: Link['addresses'], kind?: string): Link => ({
  ...{ index, name, kind, up: true, loopback: name === 'lo', mtu: 1500, mac: undefined, master: undefined },
  addresses,
});

const on = (address: string, prefixLength: number) => ({
  ...({ family: address.includes(':') ? 'ipv6' : 'ipv4', address, prefixLength } as const),
  ...{ broadcast: undefined, scope: 'global' },
});

const route = (destination: string, name: string, more: Partial<Route> = {}): Route => ({
  ...({ family: destination.includes(':') ? 'ipv6' : 'ipv4', table: 'main', type: 'unicast' } as const),
  ...{ destination, link: name, gateway: undefined, preferredSource: undefined, metric: 0, ...more },
});

export const network: NetworkReading = {
  links: [
    link('lo', 1, [on('127.0.0.1', 8)]),
    link('eth0', 2, [on('192.0.2.1', 24), on('fd00:60::1', 64)]),
    link('cni0', 3, [on('10.42.0.1', 24), on('fd00:42::1', 64)], 'bridge'),
    link('flannel.1', 4, [on('10.42.0.0', 32)], 'vxlan'),
    link('flannel-v6.1', 5, [on('fd00:42::', 128)], 'vxlan'),
  ],
  routes: [
    route('0.0.0.0/0', 'eth0', { gateway: '192.0.2.254' }),
    route('10.42.0.0/24', 'cni0'),
    route('10.42.1.0/24', 'flannel.1', { gateway: '10.42.1.0' }),
    route('192.0.2.0/24', 'eth0'),
    route('::/0', 'eth0', { gateway: 'fd00:60::fe' }),
    route('fd00:42::/64', 'cni0'),
    route('fd00:42:0:1::/64', 'flannel-v6.1', { gateway: 'fd00:42:0:1::' }),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};
