import { endpointHash, hostPortChainName, servicePortHash } from './chain-names.ts';
import { optionValue, type Rule } from './rule.ts';
import { endpointIn, printEndpoint, servicePortIn } from './service-port.ts';
import type { HostPortRule, OwnedChain } from './table-reading.ts';

/** An owned chain while its table is being read. */
export type OpenChain = { -readonly [K in keyof OwnedChain]: OwnedChain[K] };

/** Whether a Service chain's name follows from one of its own rules. */
export function proveByOwnRule(home: OpenChain, rule: Rule): void {
  if (home.proof === 'recomputed') return;
  if (home.kind === 'SEP' && (rule.jump?.target !== 'DNAT' || !home.endpoint)) return;
  const servicePort = servicePortIn(optionValue(rule, '--comment') ?? '');
  if (servicePort === undefined) return;
  const endpoint = home.kind === 'SEP' && home.endpoint ? printEndpoint(home.endpoint) : undefined;
  judge(home, { servicePort, endpoint, protocol: optionValue(rule, '-p') });
}

/** Whether a Service chain's name follows from a rule that leads to it. */
export function proveByReference(target: OpenChain, rule: Rule): void {
  const comment = optionValue(rule, '--comment') ?? '';
  const servicePort = servicePortIn(comment);
  if (servicePort === undefined) return;
  const endpoint = target.kind === 'SEP' ? endpointIn(comment) : undefined;
  if (target.kind === 'SEP' && endpoint === undefined) return;
  judge(target, { servicePort, endpoint, protocol: optionValue(rule, '-p') });
}

/** Whether a sandbox's chain has the name that portmap makes of the network and the sandbox's id. */
export function isSandboxName({ network, sandboxId, target }: HostPortRule): boolean {
  return hostPortChainName(network, sandboxId) === target;
}

interface Claimed {
  readonly servicePort: string;
  readonly endpoint: string | undefined;
  /** Rules between kube-proxy's chains do not always name it; then each is tried. */
  readonly protocol: string | undefined;
}

function judge(chain: OpenChain, { servicePort, endpoint, protocol }: Claimed): void {
  const name = chain.name.slice(-16);
  const found = (protocol === undefined ? ['tcp', 'udp', 'sctp'] : [protocol]).some(
    (candidate) =>
      name ===
      (endpoint === undefined
        ? servicePortHash(servicePort, candidate)
        : endpointHash(servicePort, candidate, endpoint)),
  );
  chain.proof = found ? 'recomputed' : 'contradicted';
}
