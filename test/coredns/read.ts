import { type Corefile, parseCorefile } from '../../src/coredns/corefile.ts';
import { type CorefileFiles, type Forward, resolveForwards } from '../../src/coredns/forwards.ts';

export function read(text: string): Corefile {
  const parsed = parseCorefile(text);
  if (parsed.kind === 'malformed') throw new Error(parsed.reason);
  return parsed.corefile;
}

export function forwardsOf(text: string, files: CorefileFiles = new Map()): readonly Forward[] {
  const resolved = resolveForwards(read(text), files);
  if (resolved.kind === 'broken') throw new Error(resolved.reason);
  return resolved.forwards;
}

/** As k3s packages it, before its import of overrides came first. */
export const k3sCorefile = `.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
}
import /etc/coredns/custom/*.server
`;

/** As k3s packages it since its issue 12979. */
export const newK3sCorefile = k3sCorefile
  .replace('    forward . /etc/resolv.conf\n', '')
  .replace(/( {4}import .*override\n)/, '$1    forward . /etc/resolv.conf\n');
