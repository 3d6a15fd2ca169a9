import { backends, type Family } from '../../netfilter/ruleset.ts';
import { parseNetwork, printAddress } from '../../netfilter/walk/addresses.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';

/** Addresses of a network, from its upper end, that no rule, set, link or route is about. */
export function spareAddresses(cidr: string, family: Family, reading: FirewallReading): readonly string[] {
  const network = parseNetwork(cidr, family);
  if (network === undefined) return [];
  const last = network.address.map((byte, i) => byte | (~(network.mask[i] ?? 0) & 0xff));
  const lowest = last.at(-1) ?? 0;
  return Array.from({ length: Math.min(candidates, lowest) }, (_, i) =>
    printAddress(last.with(-1, lowest - 1 - i)),
  )
    .filter((address) => !isUsed(address, family, reading))
    .slice(0, 2);
}

/** More of them than pods on a node would be in use. */
const candidates = 250;

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
