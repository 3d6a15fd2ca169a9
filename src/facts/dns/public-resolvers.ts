import { spellAddress } from '../spell-addresses.ts';

/** Of Google, Cloudflare, Quad9 and OpenDNS. */
export const publicResolvers = [
  '8.8.8.8',
  '8.8.4.4',
  '1.1.1.1',
  '1.0.0.1',
  '9.9.9.9',
  '149.112.112.112',
  '208.67.222.222',
  '208.67.220.220',
  '2001:4860:4860::8888',
  '2001:4860:4860::8844',
  '2606:4700:4700::1111',
  '2606:4700:4700::1001',
  '2620:fe::fe',
  '2620:fe::9',
  '2620:119:35::35',
  '2620:119:53::53',
] as const;

/** Public resolvers by address, as everybody knows them. */
export function isPublicResolver(address: string): boolean {
  const spelt = spellAddress(address);
  return publicResolvers.some((each) => each === spelt);
}
