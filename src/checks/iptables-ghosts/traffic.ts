import type { Effect, Severity, Traffic } from '../../engine/finding.ts';
import { isSame } from '../../facts/endpoint-state.ts';
import type { FamilyNatOrder } from '../../facts/nat-order.ts';
import type { Claim } from '../../netfilter/claims.ts';
import type { Backend } from '../../netfilter/ruleset.ts';
import { printEndpoint } from '../../netfilter/service-port.ts';
import type { Asked } from '../../netfilter/table-reading.ts';

/** A ghost claim beside the live claim of the same address, if there is one. */
export interface Contest {
  readonly ghost: Claim;
  readonly ghostBackend: Backend;
  readonly live: LiveClaim | undefined;
  /** False where kube-proxy's rules are not in iptables at all: then no claim there means nothing. */
  readonly liveRulesKnown: boolean;
  readonly order: FamilyNatOrder;
}

export interface LiveClaim {
  readonly claim: Claim;
  readonly backend: Backend;
  /** Only within one backend: whether the ghost's rule stands before the live one. */
  readonly ghostIsFirst?: boolean;
}

/** What a ghost claim does to the traffic it claims, as things stand now. */
export function effectOf({ ghost, ghostBackend, live, liveRulesKnown, order }: Contest): GhostEffect {
  if (ghost.targets.length === 0) return 'idle';
  if (!liveRulesKnown) return 'may-mask';
  if (!live || live.claim.targets.length === 0) return 'captures';
  if (ghost.targets.every((target) => live.claim.targets.some((other) => isSame(other, target))))
    return 'idle';
  if (live.ghostIsFirst !== undefined) return live.ghostIsFirst ? 'masks' : 'dormant';
  if (order.kind !== 'known') return 'may-mask';
  return order.first === ghostBackend ? 'masks' : 'dormant';
}

export function severityOf(effect: GhostEffect): Severity {
  return effect === 'idle' ? 'warning' : 'error';
}

/** `legacy ipv4 nat 10.43.0.80:80/tcp default/web:http`: the same for as long as the rule is there. */
export function subjectOf(
  where: string,
  { protocol, address, port, servicePort }: Asked & Pick<Claim, 'servicePort'>,
): string {
  const service = servicePort === undefined ? '' : ` ${servicePort}`;
  return `${where} ${describeAddress(address ?? null, port)}/${protocol}${service}`;
}

/** `10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead (legacy) · live: 10.42.0.9:8080 (nft)` */
export function describeTraffic(traffic: Traffic, ghostBackend: Backend, liveRulesKnown = true): string {
  const address = describeAddress(traffic.address, traffic.port);
  const service = traffic.service === null ? '' : ` ${traffic.service.split(':')[0]}`;
  const sent = traffic.sentTo
    .map((target) => `${printEndpoint(target)} ${target.state.replace('-', ' ')}`)
    .join(', ');
  const live = traffic.live.map((target) => printEndpoint(target)).join(', ');
  const backend = traffic.live[0]?.backend;
  const none = liveRulesKnown ? 'no live rule claims it' : 'live rules are not in iptables';
  const liveText = backend === undefined ? none : `live: ${live} (${backend})`;
  return `${address}/${traffic.protocol}${service} → ${sent || 'nowhere'} (${ghostBackend}) · ${liveText}`;
}

/** `10.43.0.80:80`, `[fd00::5]:80`, `*:80`. */
export function describeAddress(address: string | null, port: number): string {
  return address === null ? `*:${port}` : printEndpoint({ address, port });
}

/** What a ghost can do. */
export type GhostEffect = Exclude<Effect, 'loses' | 'exposes'>;

/** One sentence on the effect, for the report. */
export function explainEffect(effect: GhostEffect): string {
  switch (effect) {
    case 'masks':
      return 'masks the live rule now';
    case 'may-mask':
      return 'may mask the live rule: which nat table comes first could not be learned';
    case 'captures':
      return 'takes traffic that no live rule claims';
    case 'rejects':
      return 'rejects in filter whatever still carries this address; the other backend cannot overrule it';
    case 'dormant':
      return 'dormant: the live rule comes first now; a reboot may turn that round';
    case 'idle':
      return 'does the same as the live rules now';
  }
}
