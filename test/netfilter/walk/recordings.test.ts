import { describe, expect, test } from 'vitest';
import type { Family } from '../../../src/netfilter/ruleset.ts';
import type { Place } from '../../../src/netfilter/walk/flight.ts';
import { iptablesChains } from '../../../src/netfilter/walk/iptables/base-chains.ts';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import type { FirewallReading, IpSet } from '../../../src/netfilter/walk/reading.ts';
import { startFlight } from '../../../src/netfilter/walk/start-flight.ts';
import type { End } from '../../../src/netfilter/walk/walk.ts';
import { recordedDumps } from '../recorded-dumps.ts';
import { outgoing, podToPod, readingOf, toSsh, walkOver } from './node-of.ts';

function recording(name: string): FirewallReading {
  const find = (tool: string) =>
    recordedDumps().find((dump) => dump.name === `${name}/${tool}-save.txt`)?.text;
  const dumps = {
    legacy: find('iptables-legacy'),
    nft: find('iptables-nft'),
    legacy6: find('ip6tables-legacy'),
    nft6: find('ip6tables-nft'),
  };
  const present = Object.entries(dumps).filter(([, text]) => text !== undefined);
  return { ...readingOf(Object.fromEntries(present)), sets: namedSets(name) };
}

/** ipset was not recorded: each set that a rule names, empty. */
function namedSets(name: string): FirewallReading['sets'] {
  const text = recordedDumps()
    .filter((dump) => dump.name.startsWith(`${name}/`))
    .map((dump) => dump.text)
    .join('\n');
  const sets = new Map<string, IpSet>();
  for (const [, set = '', directions = ''] of text.matchAll(/--match-set (\S+) (\S+)/g)) {
    const type = directions.includes(',') ? 'hash:ip,port' : 'hash:ip';
    const family: Family = set.includes('inet6') || set.includes('-6-') ? 'ipv6' : 'ipv4';
    sets.set(set, {
      name: set,
      type,
      family,
      options: ['family', family === 'ipv4' ? 'inet' : 'inet6'],
      entries: [],
    });
  }
  return { kind: 'present', sets };
}

const rejects = 'k3s-ufw-reject-with-legacy-ghosts';

describe('a node with UFW and a forward policy of REJECT', () => {
  const ufw = recording(rejects);
  const decider = ({ ends }: { readonly ends: readonly End[] }) => ends.map(({ decidedBy }) => decidedBy);

  test('rejects what goes from pod to pod', () => {
    const walk = walkOver(ufw, podToPod);
    expect(walk.verdict).toBe('reject');
    expect(decider(walk)).toMatchObject([
      {
        kind: 'rule',
        rejectWith: 'icmp-port-unreachable',
        rule: { backend: 'nft', chain: 'ufw-reject-forward', number: 1 },
      },
    ]);
    expect(walk.ends[0]?.path.map(({ rule, action }) => `${rule.backend} ${action}`)).toEqual([
      'legacy jump to FLANNEL-FWD',
      'legacy accept',
      'nft jump to ufw-reject-forward',
      'nft reject with icmp-port-unreachable',
    ]);
  });

  test('lets pass what belongs to a connection', () => {
    expect(walkOver(ufw, { ...podToPod, state: 'ESTABLISHED' }).verdict).toBe('pass');
  });

  test('lets SSH in, and VXLAN not', () => {
    expect(walkOver(ufw, toSsh).verdict).toBe('pass');
    const vxlan: Packet = {
      ...toSsh,
      transport: { protocol: 'udp', sourcePort: 50000, destinationPort: 8472 },
    };
    const walk = walkOver(ufw, vxlan);
    expect(walk.verdict).toBe('drop');
    expect(decider(walk)).toMatchObject([{ kind: 'policy', chain: { backend: 'nft', chain: 'INPUT' } }]);
  });

  test('sends what it wants', () => {
    expect(walkOver(ufw, outgoing).verdict).toBe('pass');
  });
});

/** Endpoints behind the address of a Service, as the rules of its chain in a dump list them. */
function endpointsOf(dump: string, service: string): readonly string[] {
  const text = recordedDumps().find(({ name }) => name === dump)?.text ?? '';
  const sep = new RegExp(`^.*-A KUBE-SEP-\\S+ .*"${service}".* -j DNAT --to-destination (\\S+)`, 'gm');
  return [...text.matchAll(sep)].map(([, endpoint = '']) => endpoint).sort();
}

test.each([
  'kube-proxy-legacy-then-nft',
  'kube-proxy-1.19-legacy-then-1.34-nft',
  'kube-proxy-1.22-legacy-then-1.34-nft',
  'kube-proxy-and-kube-router-legacy-then-nft',
])('%s: the address of a Service leads to each of its endpoints, by way of both backends', (name) => {
  const reading = recording(name);
  const dumps = recordedDumps().filter((dump) => dump.name.startsWith(`${name}/iptables-`));
  const found = dumps
    .map(({ text }) => text)
    .join('\n')
    .match(
      /-A KUBE-SERVICES -d ([\d.]+)\/32 -p tcp .*--comment "(\S+) cluster IP".* --dport (\d+) -j KUBE-SVC/,
    );
  const [, address = '', service = '', port] = found ?? [];
  const walk = walkOver(reading, {
    ...podToPod,
    destination: address,
    transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: Number(port) },
  });
  const reached = walk.ends
    .filter(({ destinationTranslated }) => destinationTranslated)
    .map(({ packet: { destination, transport } }) =>
      transport.protocol === 'tcp' ? `${destination}:${transport.destinationPort}` : destination,
    );
  const endpoints = ['legacy', 'nft'].flatMap((backend) =>
    endpointsOf(`${name}/iptables-${backend}-save.txt`, service),
  );
  expect(endpoints).not.toEqual([]);
  expect([...new Set(reached)].sort()).toEqual([...new Set(endpoints)].sort());
});

/** Packets of all kinds, so that a rule is understood or not by what it asks and not by what it is asked about. */
function packetsOf(family: Family): readonly Packet[] {
  const ends =
    family === 'ipv4'
      ? { source: '10.42.0.5', destination: '192.0.2.1' }
      : { source: 'fd42::5', destination: '2001:db8::1' };
  const ports = { sourcePort: 40000, destinationPort: 53 };
  const transports: readonly Packet['transport'][] = [
    { protocol: 'tcp', ...ports },
    { protocol: 'udp', ...ports },
    { protocol: 'sctp', ...ports },
    { protocol: 'icmp', type: family === 'ipv4' ? 8 : 135, code: 0 },
  ];
  const origins: readonly Packet['origin'][] = [
    { kind: 'link', name: 'eth0' },
    { kind: 'process', uid: 0, gid: 0 },
  ];
  return transports.flatMap((transport) =>
    origins.flatMap((origin) =>
      (['NEW', 'ESTABLISHED'] as const).map((state) => ({ family, origin, ...ends, transport, state })),
    ),
  );
}

test('hardly a rule of the recordings is not understood', () => {
  let all = 0;
  const doubts: string[] = [];
  const folders = new Set(recordedDumps().map(({ name }) => name.split('/').slice(0, -1).join('/')));
  for (const folder of folders) {
    if (folder === 'matches-of-many-kinds') continue;
    const reading = recording(folder);
    for (const family of ['ipv4', 'ipv6'] as const) {
      const flights = packetsOf(family).map(startFlight);
      const place: Place = { hook: 'forward', tracked: true };
      const seen = new Set<string>();
      for (const base of iptablesChains(reading, family)) {
        const dump = reading.iptables[base.ref.backend === 'legacy' ? 'legacy' : 'nft'][family];
        if (dump.kind !== 'present') continue;
        for (const chain of dump.ruleset.tables.get(base.ref.table)?.chains.keys() ?? []) {
          const key = `${base.ref.backend} ${base.ref.table} ${chain}`;
          if (seen.has(key)) continue;
          seen.add(key);
          for (const rule of base.rules(chain) ?? []) {
            all++;
            const assumption = flights
              .flatMap((flight) => rule.follow(flight, place))
              .find((branch) => branch.assumption?.kind === 'unknown')?.assumption;
            if (assumption) doubts.push(`${assumption.reason}: ${rule.ref.text}`);
          }
        }
      }
    }
  }
  expect(all).toBeGreaterThan(3000);
  expect(doubts.length / all, doubts.join('\n')).toBeLessThan(0.01);
});

test('every rule of many kinds is compiled', () => {
  const reading = recording('matches-of-many-kinds');
  for (const base of iptablesChains(reading, 'ipv4'))
    for (const rule of base.rules(base.ref.chain) ?? [])
      for (const packet of packetsOf('ipv4')) {
        const branches = rule.follow(startFlight(packet), { hook: base.hook, tracked: true });
        expect(branches.length, rule.ref.text).toBeGreaterThan(0);
      }
});
