import { backends, type Family } from '../../netfilter/ruleset.ts';
import { parseNetwork, printAddress } from '../../netfilter/walk/addresses.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';

/** Two addresses of a network, from its upper end, that no rule, set, link or route is about. */
export function spareAddresses(cidr: string, family: Family, reading: FirewallReading): readonly string[] {
  const network = parseNetwork(cidr, family);
  if (network === undefined) return [];
  const last = network.address.map((byte, i) => byte | (~(network.mask[i] ?? 0) & 0xff));
  const lowest = last.at(-1) ?? 0;
  const spare: string[] = [];
  // One at a time: each is looked for in megabytes of rules.
  for (let byte = lowest - 1; byte >= 0 && spare.length < 2; byte--) {
    const address = printAddress(last.with(-1, byte));
    if (!isUsed(address, family, reading)) spare.push(address);
  }
  return spare;
}

function isUsed(address: string, family: Family, { iptables, sets, network }: FirewallReading): boolean {
  const whole = `${address}/${family === 'ipv4' ? 32 : 128}`;
  return (
    backends.some((backend) => {
      const dump = iptables[backend][family];
      return dump.kind === 'present' && dump.ruleset.text.includes(` ${whole} `);
    }) ||
    (sets.kind === 'present' &&
      [...sets.sets.values()].some(({ entries }) => entries.some(([element]) => element === address))) ||
    (network.links ?? []).some(({ addresses }) => addresses.some((own) => own.address === address)) ||
    (network.routes ?? []).some(({ destination }) => destination === whole || destination === address)
  );
}
