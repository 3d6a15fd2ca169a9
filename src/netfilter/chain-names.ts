/**
 * The names that owners give their chains can be computed again from what the rules say. A name
 * that does not come out the same was not made by that owner for that purpose.
 *
 * Sources: kube-proxy pkg/proxy/iptables/proxier.go (portProtoHash, servicePortEndpointChainName),
 * containernetworking/plugins pkg/utils (FormatChainName, MustFormatHashWithPrefix).
 */
import { hash } from 'node:crypto';

/** `servicePort` is `namespace/name:port`, or `namespace/name` for an unnamed port; 16 characters. */
export function servicePortHash(servicePort: string, protocol: string): string {
  return base32(hash('sha256', servicePort + protocol, 'buffer'));
}

/** `endpoint` is `ip:port` or `[ipv6]:port`; 16 characters. */
export function endpointHash(servicePort: string, protocol: string, endpoint: string): string {
  return base32(hash('sha256', servicePort + protocol + endpoint, 'buffer'));
}

/** The chain in which portmap keeps the host ports of one sandbox. */
export function hostPortChainName(network: string, sandboxId: string): string {
  return `CNI-DN-${hash('sha512', network + sandboxId, 'hex')}`.slice(0, 28);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 10 bytes in RFC 4648 base32: 80 bits are exactly 16 characters. */
function base32(digest: Buffer): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (let i = 0; i < 10; i++) {
    value = (value << 8) | (digest[i] ?? 0);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return text;
}
