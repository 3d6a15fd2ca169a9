import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { BaseChain, CompiledRule, Place } from '../../../../src/netfilter/walk/flight.ts';
import { iptablesChains } from '../../../../src/netfilter/walk/iptables/base-chains.ts';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { FirewallReading } from '../../../../src/netfilter/walk/reading.ts';
import { startFlight } from '../../../../src/netfilter/walk/start-flight.ts';
import { readingOf, toSsh } from '../node-of.ts';
import { toPort } from './native-node.ts';

const fixtures = join(import.meta.dirname, '../../../../fixtures');

function recording(name: string): FirewallReading {
  const read = (file: string) => readFileSync(join(fixtures, name, file), 'utf8');
  return {
    ...readingOf({ nft: read('iptables-nft-save.txt'), nft6: read('ip6tables-nft-save.txt') }),
    nft: { kind: 'present', objects: JSON.parse(read('nft-ruleset.json')).nftables },
  };
}

const packets: readonly Packet[] = [
  toSsh,
  toPort({ ...toSsh, source: '10.42.0.9', destination: '10.43.0.10', mark: 0x4000 }, 53, 'udp'),
  toPort({ ...toSsh, source: '10.42.0.9', destination: '10.43.0.1' }, 443),
  { ...toSsh, state: 'ESTABLISHED', mark: 0x10000, transport: { protocol: 'icmp', type: 8, code: 0 } },
  { ...toSsh, state: 'INVALID', origin: { kind: 'link', name: 'lo' }, source: '127.0.0.1' },
  { ...toSsh, transport: { protocol: 'esp' } },
  { ...toSsh, family: 'ipv6', source: 'fe80::1', destination: 'ff02::fb', transport: { protocol: 'udp' } },
  { ...toSsh, family: 'ipv6', source: '2001:db8::7', destination: '2001:db8::1' },
];
const at: Place = { hook: 'forward', tracked: true };

describe.each(['k3s-ufw-reject-with-legacy-ghosts', 'kube-proxy-legacy-then-nft'])('%s', (name) => {
  const listed = recording(name);
  const saved: FirewallReading = { ...listed, nft: { kind: 'absent' } };

  test.each(['ipv4', 'ipv6'] as const)('%s rules do the same as saved and as listed', (family) => {
    const outcomes = outcomesOf(listed, family);
    expect(outcomes).toEqual(outcomesOf(saved, family));
    expect(outcomes.length).toBeGreaterThan(family === 'ipv4' ? 500 : 30);
  });

  test('rules are told by the text of the dump', () => {
    const texts = (reading: FirewallReading) => rulesOf(reading, 'ipv4').map(({ rule }) => rule.ref.text);
    expect(texts(listed)).toEqual(texts(saved));
  });
});

/** By rule and packet, what becomes of it. */
function outcomesOf(reading: FirewallReading, family: Family): readonly string[] {
  return rulesOf(reading, family).flatMap(({ rule }) =>
    packets
      .filter((packet) => packet.family === family)
      .map((packet) => {
        const branches = rule.follow(startFlight(packet), at).map(({ flight, next, assumption }) => {
          return [next, flight.packet, flight.mark, flight.connectionMark, assumption?.kind];
        });
        return `${rule.ref.table} ${rule.ref.chain} ${rule.ref.number}: ${JSON.stringify(branches)}`;
      }),
  );
}

/** Of all chains that base chains lead to. */
function rulesOf(reading: FirewallReading, family: Family): readonly { readonly rule: CompiledRule }[] {
  const found: { readonly rule: CompiledRule }[] = [];
  const seen = new Set<string>();
  for (const base of iptablesChains(reading, family).filter(({ ref }) => ref.backend === 'nft')) {
    visit(base, base.ref.chain);
  }
  return found;

  function visit(base: BaseChain, chain: string): void {
    const key = `${base.ref.table} ${chain}`;
    if (seen.has(key)) return;
    seen.add(key);
    for (const rule of base.rules(chain) ?? []) {
      found.push({ rule });
      const target = / -[jg] (\S+)/.exec(rule.ref.text)?.[1];
      if (target !== undefined && base.rules(target)) visit(base, target);
    }
  }
}
