import type { Family } from '../../netfilter/ruleset.ts';
import { ruleLines } from '../../netfilter/ruleset.ts';
import { afterChanges, type RuleChange } from '../../netfilter/walk/after-changes.ts';
import { nftFamily } from '../../netfilter/walk/decision-words.ts';
import type { FirewallReading, NftReadingState } from '../../netfilter/walk/reading.ts';
import type { Opening } from './opening.ts';

/** The node's rules as they would be with all openings made: where the tools put what they are told. */
export function withOpenings(reading: FirewallReading, openings: readonly Opening[]): FirewallReading {
  const byUfw = openings.filter((opening) => opening.kind === 'ufw');
  const byFirewalld = openings.filter((opening) => opening.kind === 'firewalld');
  const chains = Map.groupBy(byUfw, ({ backend, need }) => `${backend} ${need.family}`);
  const changes = [...chains.values()].flatMap((same) => ufwChange(reading, same));
  return {
    ...afterChanges(reading, changes),
    nft: withZoneRules(afterChanges(reading, changes).nft, byFirewalld),
  };
}

type UfwOpening = Opening & { readonly kind: 'ufw' };
type ZoneOpening = Opening & { readonly kind: 'firewalld' };

/** UFW appends a rule without a position to its chain of user rules. */
function ufwChange(reading: FirewallReading, openings: readonly UfwOpening[]): RuleChange[] {
  const [first] = openings;
  if (first === undefined) return [];
  const { backend } = first;
  const { family } = first.need;
  const dump = reading.iptables[backend][family];
  const chain = family === 'ipv6' ? 'ufw6-user-input' : 'ufw-user-input';
  if (dump.kind !== 'present') return [];
  const found = dump.ruleset.tables.get('filter')?.chains.get(chain);
  if (found === undefined) return [];
  const before = [...ruleLines(dump.ruleset, found)];
  const lines = [...before, ...openings.map(({ need }) => `-A ${chain} ${iptablesMatch(need)} -j ACCEPT`)];
  const wanted = openings.map((_, i) => before.length + i);
  const addition = { table: 'filter', chains: [], inserts: [{ chain, lines, wanted }] };
  return [{ backend, family, change: { kind: 'add', addition } }];
}

/** As iptables-save prints it. */
function iptablesMatch({ source, family, flow }: Opening['need']): string {
  const { protocol, ports } = flow;
  const from = `-s ${source}/${bits[family]} -p ${protocol}`;
  if (ports === undefined) return from;
  const [first, last] = ports;
  return first === last
    ? `${from} -m ${protocol} --dport ${first}`
    : `${from} -m ${protocol} --dport ${first}:${last}`;
}

const bits: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

function withZoneRules(nft: NftReadingState, openings: readonly ZoneOpening[]): NftReadingState {
  if (nft.kind !== 'present' || openings.length === 0) return nft;
  return { kind: 'present', objects: [...nft.objects, ...openings.map(zoneRule)] };
}

/** As `nft -j` lists it: `ip saddr 10.0.0.2 udp dport 8472 accept`. */
function zoneRule({ need, home }: ZoneOpening): unknown {
  const { flow, family, source } = need;
  const { protocol, ports } = flow;
  const ip = nftFamily(family);
  const field = (of: string, name: string) => ({ payload: { protocol: of, field: name } });
  const equals = (left: unknown, right: unknown) => ({ match: { op: '==', left, right } });
  const port = ports && (ports[0] === ports[1] ? ports[0] : { range: ports });
  return {
    rule: {
      family: home.family,
      table: home.table,
      chain: home.chain,
      handle: 0,
      expr: [
        equals(field(ip, 'saddr'), source),
        port === undefined
          ? equals({ meta: { key: 'l4proto' } }, protocol)
          : equals(field(protocol, 'dport'), port),
        { accept: null },
      ],
    },
  };
}
