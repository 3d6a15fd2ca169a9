import type { Fact, FactContext } from '../engine/fact.ts';
import { parseRuleset } from '../netfilter/parse-ruleset.ts';
import type { Backend, Family, Ruleset } from '../netfilter/ruleset.ts';
import type { DumpReadingState, FirewallReading } from '../netfilter/walk/reading.ts';
import { type DumpTaker, takeDump } from './take-dump.ts';

/** The four iptables dumps as models that keep their text. What cannot be read is `unknown`. */
export const iptablesFact: Fact<FirewallReading['iptables']> = {
  id: 'iptables',
  async gather(context) {
    const [legacy4, legacy6, nft4, nft6] = await Promise.all([
      readDump(context, 'legacy', 'ipv4'),
      readDump(context, 'legacy', 'ipv6'),
      readDump(context, 'nft', 'ipv4'),
      readDump(context, 'nft', 'ipv6'),
    ]);
    return { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } };
  },
};

async function readDump(context: FactContext, backend: Backend, family: Family): Promise<DumpReadingState> {
  const dump = await takeDump(context, { backend, family }, whole);
  switch (dump.kind) {
    case 'present':
      return { kind: 'present', ruleset: dump.value };
    case 'absent':
      return { kind: 'absent' };
    case 'failed':
      return { kind: 'unknown', reason: dump.reason };
  }
}

const whole: DumpTaker<Ruleset> = {
  run: (host, command) => host.run(command),
  read(stdout) {
    const parsed = parseRuleset(stdout);
    return parsed.kind === 'parsed' ? { kind: 'read', value: parsed.ruleset } : parsed;
  },
  hasTable: ({ tables }, name) => tables.has(name),
};
