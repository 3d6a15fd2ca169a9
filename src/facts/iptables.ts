import type { Fact } from '../engine/fact.ts';
import { parseRuleset } from '../netfilter/parse-ruleset.ts';
import type { Backend, Family, Ruleset } from '../netfilter/ruleset.ts';
import type { DumpReadingState, FirewallReading } from '../netfilter/walk/reading.ts';
import { type DumpTaker, type TakenDump, takeDump } from './take-dump.ts';

/** The four iptables dumps as models that keep their text. What cannot be read is `unknown`. */
export const iptablesFact: Fact<FirewallReading['iptables']> = {
  id: 'iptables',
  async gather({ get }) {
    const { legacy, nft } = await get(wholeDumpsFact);
    return {
      legacy: { ipv4: stateOf(legacy.ipv4), ipv6: stateOf(legacy.ipv6) },
      nft: { ipv4: stateOf(nft.ipv4), ipv6: stateOf(nft.ipv6) },
    };
  },
};

function stateOf(dump: TakenDump<Ruleset>): DumpReadingState {
  switch (dump.kind) {
    case 'present':
      return { kind: 'present', ruleset: dump.value };
    case 'absent':
      return { kind: 'absent' };
    case 'failed':
      return { kind: 'unknown', reason: dump.reason };
  }
}

type WholeDumps = Readonly<Record<Backend, Readonly<Record<Family, TakenDump<Ruleset>>>>>;

/** The same, with why there is none. Asked for by who needs the rules themselves: the text is kept. */
export const wholeDumpsFact: Fact<WholeDumps> = {
  id: 'whole-dumps',
  async gather(context) {
    const take = (backend: Backend, family: Family) => takeDump(context, { backend, family }, whole);
    const [legacy4, legacy6, nft4, nft6] = await Promise.all([
      take('legacy', 'ipv4'),
      take('legacy', 'ipv6'),
      take('nft', 'ipv4'),
      take('nft', 'ipv6'),
    ]);
    return { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } };
  },
};

const whole: DumpTaker<Ruleset> = {
  run: (host, command) => host.run(command),
  read(stdout) {
    const parsed = parseRuleset(stdout);
    return parsed.kind === 'parsed' ? { kind: 'read', value: parsed.ruleset } : parsed;
  },
  hasTable: ({ tables }, name) => tables.has(name),
};
