import { type ChainOwner, chainOwner, type ServiceChainKind, serviceChainKind } from './chain-owner.ts';
import { endpointHash, hostPortChainName, servicePortHash } from './chain-names.ts';
import { isKnownJump, isNetworkPolicyResidue } from './known-jumps.ts';
import { isOwnersRule } from './owned-rule.ts';
import { jumpValue, optionValue, parseRule, type Rule, withoutCounters } from './rule.ts';
import { type Chain, ruleLines, type Ruleset, type Table } from './ruleset.ts';
import { type Endpoint, endpointIn, parseEndpoint, printEndpoint, servicePortIn } from './service-port.ts';

/** What one pass over a table tells of the chains that Kubernetes and its CNI keep in it. */
export interface TableReading {
  readonly owned: ReadonlyMap<string, OwnedChain>;
  /** Rules in built-in chains that lead to an owned chain and are known to be written by its owner. */
  readonly jumps: readonly LocatedRule[];
  /** Rules in built-in chains that an owner leaves behind and that name no owned chain. */
  readonly residue: readonly LocatedRule[];
  /** portmap's rules that lead to a sandbox's chain. */
  readonly hostPorts: readonly HostPortRule[];
  /** Rules that stand in the way of a removal, and why. */
  readonly obstacles: readonly Obstacle[];
}

export interface OwnedChain {
  readonly chain: Chain;
  readonly owner: ChainOwner;
  readonly kind: ServiceChainKind | undefined;
  /**
   * `recomputed`: its name follows from what its rules say. `contradicted`: it does not.
   * `by-shape`: nothing to compute it from; every rule in it is of the owner's shape.
   */
  readonly proof: 'recomputed' | 'contradicted' | 'by-shape';
  readonly servicePort: string | undefined;
  /** Where a KUBE-SEP chain sends to. */
  readonly endpoint: Endpoint | undefined;
  /** Owned chains that its rules lead to, in order. */
  readonly next: readonly string[];
}

export interface LocatedRule {
  readonly chain: string;
  /** As printed, without counters: `-A CHAIN ...`. */
  readonly line: string;
}

export interface HostPortRule extends LocatedRule {
  readonly target: string;
  readonly network: string;
  readonly sandboxId: string;
  readonly protocol: string;
  readonly ports: readonly number[];
}

export interface Obstacle extends LocatedRule {
  readonly reason: 'foreign-reference' | 'foreign-rule-inside' | 'unreadable-rule';
  /** The owned chain that cannot be removed because of it. */
  readonly owned: string;
}

export function readTable(ruleset: Ruleset, table: Table): TableReading {
  const owned = new Map<string, MutableOwnedChain>();
  for (const chain of table.chains.values()) {
    const owner = chainOwner(chain.name);
    if (owner === undefined) continue;
    const kind = serviceChainKind(chain.name);
    owned.set(chain.name, {
      chain,
      owner,
      kind,
      proof: 'by-shape',
      servicePort: undefined,
      endpoint: undefined,
      next: [],
    });
  }
  const reading = { owned, jumps: [], residue: [], hostPorts: [], obstacles: [] } satisfies MutableReading;
  for (const chain of table.chains.values()) {
    for (const line of ruleLines(ruleset, chain)) readRule(reading, table.name, chain, line);
  }
  return reading;
}

type MutableOwnedChain = { -readonly [K in keyof OwnedChain]: OwnedChain[K] } & { next: string[] };

interface MutableReading {
  readonly owned: ReadonlyMap<string, MutableOwnedChain>;
  readonly jumps: LocatedRule[];
  readonly residue: LocatedRule[];
  readonly hostPorts: HostPortRule[];
  readonly obstacles: Obstacle[];
}

function readRule(reading: MutableReading, table: string, chain: Chain, line: string): void {
  const home = reading.owned.get(chain.name);
  const rule = parseRule(line);
  const located = (): LocatedRule => ({ chain: chain.name, line: withoutCounters(line) });
  if (!rule) {
    const named = home?.chain.name ?? [...reading.owned.keys()].find((name) => line.includes(name));
    if (named !== undefined) reading.obstacles.push({ ...located(), reason: 'unreadable-rule', owned: named });
    return;
  }
  const target = rule.jump ? reading.owned.get(rule.jump.target) : undefined;
  if (home) readInside(reading, home, rule, table, located);
  if (target) readReference(reading, { home, target, rule, table }, located);
  if (!home && !target && isNetworkPolicyResidue(table, rule)) reading.residue.push(located());
}

function readInside(
  reading: MutableReading,
  home: MutableOwnedChain,
  rule: Rule,
  table: string,
  located: () => LocatedRule,
): void {
  if (home.owner === 'portmap') return;
  if (!isOwnersRule(table, rule)) {
    reading.obstacles.push({ ...located(), reason: 'foreign-rule-inside', owned: home.chain.name });
    return;
  }
  if (rule.jump?.target === 'DNAT') home.endpoint ??= parseEndpoint(jumpValue(rule, '--to-destination') ?? '');
  if (home.kind) proveByOwnRule(home, rule);
}

interface Reference {
  readonly home: MutableOwnedChain | undefined;
  readonly target: MutableOwnedChain;
  readonly rule: Rule;
  readonly table: string;
}

function readReference(reading: MutableReading, reference: Reference, located: () => LocatedRule): void {
  const { home, target, rule, table } = reference;
  if (target.owner === 'portmap-sandbox') {
    const hostPort = home?.chain.name === 'CNI-HOSTPORT-DNAT' ? readHostPort(rule, located()) : undefined;
    if (!hostPort) return foreign();
    if (hostPortChainName(hostPort.network, hostPort.sandboxId) !== target.chain.name) return foreign();
    target.proof = 'recomputed';
    reading.hostPorts.push(hostPort);
    return;
  }
  if (target.owner === 'portmap') return;
  if (home && home.owner !== 'portmap' && home.owner !== 'portmap-sandbox') {
    home.next.push(target.chain.name);
    if (target.kind && target.proof !== 'recomputed') proveByReference(target, rule);
    return;
  }
  if (!home && isKnownJump(table, rule)) reading.jumps.push(located());
  else foreign();

  function foreign(): void {
    reading.obstacles.push({ ...located(), reason: 'foreign-reference', owned: target.chain.name });
  }
}

function proveByOwnRule(home: MutableOwnedChain, rule: Rule): void {
  if (home.proof === 'recomputed') return;
  const servicePort = servicePortIn(optionValue(rule, '--comment') ?? '');
  if (servicePort === undefined) return;
  if (home.kind !== 'SEP') return judge(home, servicePort, optionValue(rule, '-p'), undefined);
  if (rule.jump?.target === 'DNAT' && home.endpoint) {
    judge(home, servicePort, optionValue(rule, '-p'), printEndpoint(home.endpoint));
  }
}

function proveByReference(target: MutableOwnedChain, rule: Rule): void {
  const comment = optionValue(rule, '--comment') ?? '';
  const servicePort = servicePortIn(comment);
  if (servicePort === undefined) return;
  const endpoint = target.kind === 'SEP' ? endpointIn(comment) : undefined;
  if (target.kind === 'SEP' && endpoint === undefined) return;
  judge(target, servicePort, optionValue(rule, '-p'), endpoint);
}

/** Rules between kube-proxy's chains do not always name the protocol; then each is tried. */
function judge(
  chain: MutableOwnedChain,
  servicePort: string,
  protocol: string | undefined,
  endpoint: string | undefined,
): void {
  const name = chain.chain.name.slice(-16);
  const found = (protocol === undefined ? ['tcp', 'udp', 'sctp'] : [protocol]).some(
    (candidate) =>
      name ===
      (endpoint === undefined
        ? servicePortHash(servicePort, candidate)
        : endpointHash(servicePort, candidate, endpoint)),
  );
  chain.proof = found ? 'recomputed' : 'contradicted';
  if (found) chain.servicePort = servicePort;
}

function readHostPort(rule: Rule, located: LocatedRule): HostPortRule | undefined {
  const comment = optionValue(rule, '--comment') ?? '';
  const [, network, sandboxId] = /^dnat name: "([^"]*)" id: "([^"]*)"$/.exec(comment) ?? [];
  const protocol = optionValue(rule, '-p');
  if (network === undefined || sandboxId === undefined || protocol === undefined || !rule.jump) return undefined;
  const ports = (optionValue(rule, '--dports') ?? optionValue(rule, '--dport') ?? '').split(',').map(Number);
  return { ...located, target: rule.jump.target, network, sandboxId, protocol, ports };
}
