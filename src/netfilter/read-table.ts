import { chainOwner, serviceChainKind } from './chain-owner.ts';
import { addToFingerprint } from './fingerprint.ts';
import { isKnownJump, isNetworkPolicyResidue } from './known-jumps.ts';
import { isOwnersRule } from './owned-rule.ts';
import { isSandboxName, type OpenChain, proveByOwnRule, proveByReference } from './prove-name.ts';
import { jumpValue, optionValue, parseRule, type Rule, withoutCounters } from './rule.ts';
import { detach, parseEndpoint, servicePortIn } from './service-port.ts';
import type { Asked, HostPortRule, LocatedRule, TableReading } from './table-reading.ts';

export interface TableReader {
  chain(name: string): void;
  /** `line` as printed; the chains it names were declared before. */
  rule(chain: string, line: string): void;
  readonly reading: TableReading;
}

/** Reads a table rule by rule, keeping only what is needed to judge it: not the rules. */
export function createTableReader(table: string): TableReader {
  const owned = new Map<string, OpenChain>();
  const reading: OpenReading = {
    owned,
    jumps: [],
    residue: [],
    hostPorts: [],
    obstacles: [],
    services: [],
    podPorts: [],
    refusals: [],
  };
  return {
    reading,
    chain(name) {
      const owner = chainOwner(name);
      if (owner === undefined) return;
      const kind = serviceChainKind(name);
      owned.set(name, {
        name,
        owner,
        kind,
        proof: 'by-shape',
        endpoint: undefined,
        packets: 0,
        next: nowhere,
        fingerprint: 0,
      });
    },
    rule(chain, line) {
      readRule(reading, { table, chain, line });
    },
  };
}

/** Most chains lead nowhere but to an endpoint; they share one empty list. */
const nowhere: readonly string[] = [];

/** A reading that grows: the same lists, and they take more. */
type OpenReading = {
  readonly [K in Exclude<keyof TableReading, 'owned'>]: TableReading[K][number][];
} & { readonly owned: ReadonlyMap<string, OpenChain> };

interface Line {
  readonly table: string;
  readonly chain: string;
  readonly line: string;
}

function readRule(reading: OpenReading, { table, chain, line }: Line): void {
  const home = reading.owned.get(chain);
  if (home) home.fingerprint = addToFingerprint(home.fingerprint, line);
  const rule = parseRule(line);
  if (!rule) {
    const named = home?.name ?? [...reading.owned.keys()].find((name) => line.includes(name));
    if (named === undefined) return;
    reading.obstacles.push({ ...locate(chain, line), reason: 'unreadable-rule', owned: named });
    return;
  }
  const target = rule.jump ? reading.owned.get(rule.jump.target) : undefined;
  if (home) readInside(reading, { home, rule, table, line });
  if (target) readReference(reading, { home, target, rule, table, line });
  if (!home && !target && isNetworkPolicyResidue(table, rule)) reading.residue.push(locate(chain, line));
}

interface RuleInside {
  readonly home: OpenChain;
  readonly rule: Rule;
  readonly table: string;
  readonly line: string;
}

function readInside(reading: OpenReading, { home, rule, table, line }: RuleInside): void {
  if (home.owner === 'portmap') return;
  if (!isOwnersRule(table, rule)) {
    reading.obstacles.push({ ...locate(home.name, line), reason: 'foreign-rule-inside', owned: home.name });
    return;
  }
  const target = rule.jump?.target;
  if (target === 'DNAT') readDnat(reading, home, rule);
  else if (target === 'REJECT' || target === 'DROP') readRefusal(reading, rule, target);
  if (home.kind) proveByOwnRule(home, rule);
}

function readDnat(reading: OpenReading, home: OpenChain, rule: Rule): void {
  const endpoint = parseEndpoint(jumpValue(rule, '--to-destination') ?? '');
  if (!endpoint) return;
  const packets = Number(rule.counters?.packets ?? 0);
  if (home.kind === 'SEP') {
    home.endpoint ??= endpoint;
    home.packets += packets;
  }
  const asked = home.owner === 'portmap-sandbox' ? readAsked(rule) : undefined;
  if (asked) reading.podPorts.push({ ...asked, chain: home.name, endpoint, packets });
}

const refusingChains = new Set(['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL']);

function readRefusal(reading: OpenReading, rule: Rule, target: 'REJECT' | 'DROP'): void {
  const asked = refusingChains.has(rule.chain) ? readAsked(rule) : undefined;
  if (!asked) return;
  const comment = optionValue(rule, '--comment') ?? '';
  reading.refusals.push({
    ...asked,
    chain: rule.chain,
    servicePort: servicePortIn(comment),
    target,
    comment,
  });
}

interface Reference extends Omit<RuleInside, 'home'> {
  readonly home: OpenChain | undefined;
  readonly target: OpenChain;
}

function readReference(reading: OpenReading, reference: Reference): void {
  const { home, target, rule, table, line } = reference;
  switch (target.owner) {
    case 'portmap':
      return;
    case 'portmap-sandbox':
      readSandboxReference(reading, reference);
      return;
    default:
      if (home && home.owner !== 'portmap' && home.owner !== 'portmap-sandbox') {
        if (target.kind) readServiceJump(reading, home, target, rule);
      } else if (!home && isKnownJump(table, rule)) {
        reading.jumps.push(locate(rule.chain, line));
      } else {
        noteForeignReference(reading, reference);
      }
  }
}

function readSandboxReference(reading: OpenReading, reference: Reference): void {
  const { home, target, rule, line } = reference;
  const hostPort = home?.name === 'CNI-HOSTPORT-DNAT' ? readHostPort(rule, line) : undefined;
  if (!hostPort || !isSandboxName(hostPort)) {
    noteForeignReference(reading, reference);
    return;
  }
  target.proof = 'recomputed';
  reading.hostPorts.push(hostPort);
}

function noteForeignReference(reading: OpenReading, { target, rule, line }: Reference): void {
  reading.obstacles.push({ ...locate(rule.chain, line), reason: 'foreign-reference', owned: target.name });
}

function readServiceJump(reading: OpenReading, home: OpenChain, target: OpenChain, rule: Rule): void {
  if (target.proof !== 'recomputed') proveByReference(target, rule);
  if (home.kind) home.next = [...home.next, target.name];
  else readService(reading, rule, target.name);
}

function readService(reading: OpenReading, rule: Rule, chain: string): void {
  const asked = readAsked(rule);
  if (!asked) return;
  const servicePort = servicePortIn(optionValue(rule, '--comment') ?? '');
  reading.services.push({ ...asked, chain, servicePort: servicePort && detach(servicePort) });
}

function readHostPort(rule: Rule, line: string): HostPortRule | undefined {
  const comment = optionValue(rule, '--comment') ?? '';
  const [, network, sandboxId] = /^dnat name: "([^"]*)" id: "([^"]*)"$/.exec(comment) ?? [];
  if (network === undefined || sandboxId === undefined || !rule.jump) return undefined;
  return { ...locate(rule.chain, line), target: rule.jump.target, network, sandboxId };
}

/** A rule for a whole range (loopback, say) claims no address; the ones that matter name one, or any. */
function readAsked(rule: Rule): Asked | undefined {
  const protocol = optionValue(rule, '-p');
  const port = Number(optionValue(rule, '--dport'));
  if (protocol === undefined || !Number.isInteger(port)) return undefined;
  const destination = optionValue(rule, '-d');
  if (destination === undefined) return { protocol, address: undefined, port };
  const [, address] = /^([^/]+)(?:\/(?:32|128))?$/.exec(destination) ?? [];
  return address === undefined ? undefined : { protocol, address: detach(address), port };
}

function locate(chain: string, line: string): LocatedRule {
  return { chain, line: withoutCounters(line) };
}
