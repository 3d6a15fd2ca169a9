import { parseConfig } from '../../../src/config/parse-config.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import { ipSetsFact } from '../../../src/facts/ip-sets.ts';
import { iptablesFact } from '../../../src/facts/iptables.ts';
import { networkFact } from '../../../src/facts/network.ts';
import { nftRulesetFact } from '../../../src/facts/nft-ruleset.ts';
import { liveHost } from '../../../src/host/live.ts';
import type { FirewallReading, NftReadingState } from '../../../src/netfilter/walk/reading.ts';
import { noCluster } from '../../host/no-cluster.ts';
import type { Precedence } from './load-rules.ts';
import { watchTable } from './watch.ts';

const { config } = await parseConfig('none', '');
const host = liveHost({
  commands: {},
  paths: { k3sData: '/nonexistent' },
  kube: noCluster,
});

/** The node's rules as the product reads them, without the table that only watches. */
export async function readReading(precedence: Precedence): Promise<FirewallReading> {
  const { get } = createFactContext(host, config);
  const [iptables, nft, sets, network] = await Promise.all([
    get(iptablesFact),
    get(nftRulesetFact),
    get(ipSetsFact),
    get(networkFact),
  ]);
  const order = precedence === 'nft first' ? 'nft' : 'legacy';
  const natFirst: FirewallReading['natFirst'] = { ipv4: order, ipv6: order };
  return { iptables, nft: withoutWatcher(nft), sets, network, natFirst };
}

function withoutWatcher(nft: NftReadingState): NftReadingState {
  if (nft.kind !== 'present') return nft;
  return { kind: 'present', objects: nft.objects.filter((object) => !isOfWatcher(object)) };
}

function isOfWatcher(object: unknown): boolean {
  if (typeof object !== 'object' || object === null) return false;
  return Object.values(object).some(
    (body: { table?: unknown; name?: unknown }) =>
      body.table === watchTable || ('table' in object && body.name === watchTable),
  );
}
