import { DoctorError } from '../doctor-error.ts';
import type { Fact, FactContext } from '../engine/fact.ts';
import { type Backend, backends, type Family, families } from '../netfilter/ruleset.ts';
import { createFirewall, type Firewall } from '../netfilter/walk/firewall.ts';
import type { FirewallReading } from '../netfilter/walk/reading.ts';
import { ipSetsFact } from './ip-sets.ts';
import { iptablesFact } from './iptables.ts';
import { natOrderFact } from './nat-order.ts';
import { networkFact } from './network.ts';
import { nftRulesetFact } from './nft-ruleset.ts';

/** All the rules of this node, ready to walk packets through. What could not be read makes walks `unknown`. */
export const firewallFact: Fact<Firewall> = {
  id: 'firewall',
  async gather(context) {
    const [iptables, nft, network] = await Promise.all([
      context.get(iptablesFact),
      context.get(nftRulesetFact),
      context.get(networkFact),
    ]);
    const [sets, natFirst] = await Promise.all([context.get(ipSetsFact), readNatOrder(context, iptables)]);
    return createFirewall({ iptables, nft, sets, network, natFirst });
  },
};

type Iptables = FirewallReading['iptables'];

/** Which nat table is asked first matters only where both have rules. */
async function readNatOrder({ get }: FactContext, iptables: Iptables): Promise<FirewallReading['natFirst']> {
  const hasNat = (backend: Backend, family: Family) => {
    const dump = iptables[backend][family];
    return dump.kind === 'present' && dump.ruleset.tables.has('nat');
  };
  if (!families.some((family) => backends.every((backend) => hasNat(backend, family)))) {
    return { ipv4: undefined, ipv6: undefined };
  }
  try {
    const order = await get(natOrderFact);
    const first = (family: Family) => (order[family].kind === 'known' ? order[family].first : undefined);
    return { ipv4: first('ipv4'), ipv6: first('ipv6') };
  } catch (error) {
    if (error instanceof DoctorError && error.code === 'undetermined') {
      return { ipv4: undefined, ipv6: undefined };
    }
    throw error;
  }
}
