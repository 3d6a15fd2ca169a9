import { ufwOverlay } from '../../../src/checks/ufw-overlay/check.ts';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { Step } from '../../../src/engine/step.ts';
import type { ClusterNodes } from '../../../src/facts/cluster-nodes.ts';
import type { Ufw, UfwRule } from '../../../src/facts/ufw.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import { givenFacts } from '../../facts/given-facts.ts';
import { cluster, network, node } from '../../facts/made-up-cluster.ts';
import { parseReading, type ReadingTexts } from '../parse-reading.ts';

export interface Given extends Partial<ReadingTexts> {
  readonly nodes?: ClusterNodes;
  readonly ufw?: Ufw;
  readonly firewalld?: boolean;
  readonly settings?: Partial<Config['checks']['ufw-overlay']>;
  readonly podNetwork?: object;
}

export const n1 = node({ name: 'n1', internalAddresses: ['10.0.0.1'] });
export const n2 = node({ name: 'n2', internalAddresses: ['10.0.0.2'] });

/** What the check says of n1, an agent at 10.0.0.1 with eth0, which has n2 at 10.0.0.2 as its only peer. */
export async function diagnose(given: Given = {}): Promise<Diagnosis> {
  const { nodes = cluster(n1, n2), settings, ufw = { kind: 'absent' }, firewalld = false } = given;
  const links = given.network ?? network('10.0.0.1/24');
  const config = defaultConfig();
  const checks = { ...config.checks, 'ufw-overlay': { ...config.checks['ufw-overlay'], ...settings } };
  const context = await givenFacts(
    {
      'cluster-nodes': nodes,
      network: links,
      firewall: createFirewall(parseReading({ ...given, network: links })),
      'embedded-registry': false,
      'api-access': { servedAt: [], servers: [] },
      'pod-network': given.podNetwork ?? { kind: 'unavailable', reason: 'not asked' },
      ufw,
      firewalld,
    },
    { ...config, checks },
  );
  return ufwOverlay.run(context);
}

export function activeUfw(rules: readonly Partial<UfwRule>[] = [], { ipv6 = true } = {}): Ufw {
  return {
    kind: 'active',
    defaults: { incoming: 'deny', outgoing: 'allow', routed: 'deny' },
    ipv6,
    rules: rules.map((rule) => ({ ...anyUdp, ...rule })),
  };
}

const anyUdp: UfwRule = {
  family: 'ipv4',
  route: false,
  action: 'allow',
  direction: 'in',
  protocol: 'udp',
  destinationPort: '8472',
  destination: '0.0.0.0/0',
  sourcePort: 'any',
  source: '10.0.0.2',
  inLink: undefined,
  outLink: undefined,
  comment: '',
};

export function stepsOf(diagnosis: Diagnosis, mayRepair = (_: Finding) => true): readonly Step[] {
  return diagnosis.plan(mayRepair).steps;
}

export function subjects({ findings }: Diagnosis): readonly string[] {
  return findings.map(({ subject }) => subject);
}

export function reasonsNot({ findings }: Diagnosis): readonly string[] {
  return findings.flatMap(({ remedy }) => (remedy.kind === 'planned' ? [] : [remedy.reason]));
}
