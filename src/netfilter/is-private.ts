/** Addresses that routers of the public internet do not carry: RFC 1918, RFC 6598, loopback, link-local, ULA. */
export function isPrivate(address: string): boolean {
  return (address.includes(':') ? privateIpv6 : privateIpv4).test(address);
}

const privateIpv6 = /^(::1$|f[cd]|fe[89ab])/i;
const privateIpv4 =
  /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
