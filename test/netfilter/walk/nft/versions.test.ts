import { expect, test } from 'vitest';
import type { Flight, Place } from '../../../../src/netfilter/walk/flight.ts';
import { createEnvironment } from '../../../../src/netfilter/walk/nft/environment.ts';
import { compileNftRule } from '../../../../src/netfilter/walk/nft/rule.ts';
import { readNftRuleset } from '../../../../src/netfilter/walk/nft/ruleset.ts';
import { refOfRule } from '../../../../src/netfilter/walk/nft/table-rules.ts';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { startFlight } from '../../../../src/netfilter/walk/start-flight.ts';
import { network, toSsh } from '../node-of.ts';
import { recordedTables } from './native-node.ts';

const at: Place = { hook: 'input', tracked: true };
const ssh6: Packet = { ...toSsh, family: 'ipv6', source: 'fd00::1', destination: '2001:db8::1' };
const packets: readonly Packet[] = [
  toSsh,
  {
    ...toSsh,
    source: '10.0.0.1',
    mark: 5,
    transport: { protocol: 'tcp', sourcePort: 80, destinationPort: 80 },
  },
  { ...toSsh, transport: { protocol: 'tcp', sourcePort: 1, destinationPort: 90, flags: ['SYN', 'ACK'] } },
  { ...toSsh, state: 'ESTABLISHED', transport: { protocol: 'udp', sourcePort: 53, destinationPort: 53 } },
  { ...toSsh, state: 'INVALID', transport: { protocol: 'icmp', type: 3, code: 4 } },
  { ...toSsh, transport: { protocol: 'esp', spi: 256 }, mark: 0x4000 },
  ssh6,
  { ...ssh6, transport: { protocol: 'icmp', type: 135, code: 0 } },
];

/** For each rule of the recording, by chain, what becomes of each packet. */
function outcomes(recording: string): readonly (readonly [rule: string, outcome: string])[] {
  const table = readNftRuleset(recordedTables(recording)).tables.find(({ name }) => name === 'fw');
  if (!table) throw new Error('the recording has no such table');
  return [...table.chains.values()].flatMap(({ name: chain, rules }) =>
    rules.map((rule, i) => {
      const ref = refOfRule({ backend: 'native', family: 'inet', table: 'fw', chain }, i + 1, rule);
      const branches = packets.map((packet) => {
        const environment = createEnvironment(packet.family, table, network);
        const flight: Flight = startFlight(packet);
        return compileNftRule(ref, rule.expressions, environment)
          .follow(flight, at)
          .map(({ flight: after, next, assumption }) => [next, after.packet, after.mark, assumption?.kind]);
      });
      return [`${chain} ${i + 1}`, JSON.stringify(branches)] as const;
    }),
  );
}

test('versions of nft list the same rules in different ways', () => {
  const older = outcomes('statements-of-many-kinds');
  const newer = outcomes('statements-of-many-kinds-by-nft-1.1');
  expect(older.length).toBeGreaterThan(200);
  expect(newer).toEqual(older);
});
