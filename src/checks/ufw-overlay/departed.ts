import type { Finding } from '../../engine/finding.ts';
import type { UfwRuleSpec, UfwRuleStep } from '../../engine/step.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import { spellAddress, spellAddresses } from '../../facts/spell-addresses.ts';
import type { Ufw, UfwRule } from '../../facts/ufw.ts';
import { isOurs } from './ufw-words.ts';

export interface Departed {
  readonly finding: Finding;
  readonly step: UfwRuleStep | undefined;
}

interface Asked {
  readonly ufw: Ufw;
  readonly nodes: ClusterNodes;
  /** Of the configuration. */
  readonly peers: readonly string[];
  readonly prune: boolean;
}

/** Rules of ours for addresses that nobody has any more. Who is there has to be known for certain. */
export function findDeparted({ ufw, nodes, peers, prune }: Asked): readonly Departed[] {
  if (ufw.kind !== 'active' || nodes.kind !== 'known' || nodes.self === undefined) return [];
  const present = new Set([...nodes.nodes.flatMap(everyAddress), ...peers.map(spelt)]);
  return ufw.rules
    .filter((rule) => isPeerRule(rule) && !present.has(spelt(rule.source)))
    .flatMap((rule) => {
      const spec = specOf(rule);
      return spec === undefined ? [] : [describe(rule, prune ? spec : undefined)];
    });
}

function everyAddress(node: Parameters<typeof spellAddresses>[0]): readonly string[] {
  const { internalAddresses, externalAddresses, flannel } = spellAddresses(node);
  const tunnel = [flannel.publicIp, flannel.publicIpv6, flannel.publicIpOverwrite];
  return [...internalAddresses, ...externalAddresses, ...tunnel.filter((address) => address !== undefined)];
}

function spelt(address: string): string {
  return spellAddress(address.replace(/\/(32|128)$/, '')) ?? address;
}

function isPeerRule({ route, action, direction, comment }: UfwRule): boolean {
  return !route && action === 'allow' && direction === 'in' && isOurs(comment);
}

const protocols = ['any', 'tcp', 'udp', 'esp', 'ah'] as const;

/** As it is in UFW's files. Undefined: somebody has made something else of it, so that it is not ours any more. */
function specOf(rule: UfwRule): UfwRuleSpec | undefined {
  const protocol = protocols.find((each) => each === rule.protocol);
  const isWhole = rule.sourcePort === 'any' && rule.inLink === undefined && rule.outLink === undefined;
  if (protocol === undefined || !isWhole || spellAddress(spelt(rule.source)) === undefined) return undefined;
  return {
    route: false,
    action: 'allow',
    direction: 'in',
    protocol,
    source: rule.source,
    destination: isAnywhere(rule.destination) ? 'any' : rule.destination,
    port: rule.destinationPort === 'any' ? undefined : rule.destinationPort,
    comment: rule.comment,
  };
}

function isAnywhere(destination: string): boolean {
  return ['any', '0.0.0.0/0', '::/0'].includes(destination);
}

function describe(rule: UfwRule, spec: UfwRuleSpec | undefined): Departed {
  const { source, protocol, destinationPort } = rule;
  const flow = destinationPort === 'any' ? protocol.toUpperCase() : `${destinationPort}/${protocol}`;
  return {
    finding: {
      code: 'peer-departed',
      subject: `${source} ${flow}`,
      severity: spec ? 'warning' : 'info',
      effect: 'exposes',
      message: `UFW lets ${flow} in from ${source}, which is no node of the cluster any more: the rule is ours`,
      evidence: [
        {
          source: `ufw ${rule.family === 'ipv6' ? 'user6.rules' : 'user.rules'}`,
          observed: `allow from ${source}, comment "${rule.comment}"`,
        },
      ],
      remedy: spec
        ? { kind: 'planned' }
        : {
            kind: 'none',
            reason: 'rules of ours for nodes that left stay unless checks.ufw-overlay.prune is on',
          },
    },
    step: spec && { kind: 'ufw-rule', change: 'delete', rule: spec },
  };
}
