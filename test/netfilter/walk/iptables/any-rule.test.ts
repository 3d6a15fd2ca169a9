import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printRule } from '../../../../src/netfilter/rule.ts';
import { compileLine } from '../../../../src/netfilter/walk/iptables/compile-rule.ts';
import { startFlight } from '../../../../src/netfilter/walk/start-flight.ts';
import { arbitraryRule } from '../../arbitrary-rules.ts';
import { outgoing, podToPod, readingOf, toSsh } from '../node-of.ts';

const flights = [toSsh, podToPod, outgoing].map(startFlight);
const reading = readingOf({});

test('whatever a rule says, something becomes of a packet, and what is open says why', () => {
  fc.assert(
    fc.property(arbitraryRule, fc.constantFrom('filter', 'nat'), fc.boolean(), (rule, table, tracked) => {
      const chain = { backend: 'nft', family: 'ipv4', table, chain: rule.chain } as const;
      const context = { ...chain, reading, hasChain: (name: string) => name.startsWith('KUBE-') };
      const compiled = compileLine(printRule(rule), chain, 1, context);
      for (const flight of flights) {
        const branches = compiled.follow(flight, { hook: 'forward', tracked });
        expect(branches.length).toBeGreaterThan(0);
        if (branches.length > 1)
          for (const { assumption } of branches) expect(assumption?.reason).toBeTruthy();
      }
    }),
  );
});
