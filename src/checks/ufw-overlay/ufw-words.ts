import type { UfwRuleSpec } from '../../engine/step.ts';
import type { NeededFlow } from '../../facts/flow.ts';

/** What our rules for other hosts begin with. Who is meant is said by their address. */
const ourPrefix = 'k3s-doctor: peer, ';

export function isOurs(comment: string): boolean {
  return comment.startsWith(ourPrefix);
}

/** Let in from this one address, and nobody else. */
export function ufwRule({ flow, source }: NeededFlow): UfwRuleSpec {
  const { protocol, ports, title } = flow;
  return {
    route: false,
    action: 'allow',
    direction: 'in',
    protocol,
    source,
    destination: 'any',
    port: ports && [...new Set(ports)].join(':'),
    comment: `${ourPrefix}${title.replaceAll("'", '')}`,
  };
}

/** `allow from 10.0.0.2 to any port 8472 proto udp`. */
export function ufwWords({ source, flow: { protocol, ports } }: NeededFlow): string {
  const to = ports === undefined ? '' : ` to any port ${[...new Set(ports)].join(':')}`;
  return `allow from ${source}${to} proto ${protocol}`;
}
