import { networkInterfaces } from 'node:os';

/** This machine's addresses of a family, in the system's order, without loopback and link-local ones. */
export function localAddresses(
  family: 'ipv4' | 'ipv6',
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): readonly string[] {
  const wanted = family === 'ipv4' ? 'IPv4' : 'IPv6';
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter((entry) => entry.family === wanted && !entry.internal && !isLinkLocal(entry.address))
    .map(({ address }) => address);
}

/** 169.254.0.0/16 and fe80::/10. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
