import type { Forward, UpstreamName } from '../../coredns/forwards.ts';
import type { Fact, FactContext } from '../../engine/fact.ts';
import { liveCorefileFact, type ReadCorefile } from './corefile.ts';
import { isServerAddress } from './resolv-conf.ts';
import { serverKey } from './server-answer.ts';
import { readUpstreamFile } from './upstream-file.ts';

/** One server that CoreDNS forwards to, by way of a Corefile or of the resolv.conf it names. */
export interface Upstream {
  /** The zone that is forwarded: `.`, `example.org`. */
  readonly zone: string;
  readonly server: string;
  readonly port: number;
  readonly protocol: 'dns' | 'tls';
  readonly serverName: string | undefined;
  /** `Corefile, line 18`, `/etc/resolv.conf of pod coredns-...`, `/run/systemd/resolve/resolv.conf`. */
  readonly origin: string;
}

export type Upstreams =
  | {
      readonly kind: 'known';
      /** In the order in which CoreDNS has them; forwards that are never asked left out. */
      readonly upstreams: readonly Upstream[];
      /** Not asked, and why: a name, a socket, a resolv.conf that only another node has; a line each. */
      readonly doubts: readonly string[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export const upstreamsFact: Fact<Upstreams> = {
  id: 'dns-upstreams',
  async gather(context) {
    const live = await context.get(liveCorefileFact);
    if (live.kind === 'unavailable') return live;
    if (live.kind !== 'read') return { kind: 'unavailable', reason: live.reason, forbidden: false };
    const upstreams = new Map<string, Upstream>();
    const doubts = new Set(live.doubts);
    for (const forward of live.forwards.filter(({ isShadowed }) => !isShadowed)) {
      for (const name of forward.upstreams) {
        const found = await readUpstream(context, { live, forward, name });
        for (const doubt of found.doubts) doubts.add(doubt);
        for (const upstream of found.upstreams) {
          const key = `${upstream.zone} ${upstream.protocol} ${serverKey(upstream)}`;
          if (!upstreams.has(key)) upstreams.set(key, upstream);
        }
      }
    }
    return { kind: 'known', upstreams: [...upstreams.values()], doubts: [...doubts] };
  },
};

interface Named {
  readonly live: ReadCorefile;
  readonly forward: Forward;
  readonly name: UpstreamName;
}

async function readUpstream(
  context: FactContext,
  { live, forward, name }: Named,
): Promise<Pick<Extract<Upstreams, { kind: 'known' }>, 'upstreams' | 'doubts'>> {
  const { from: zone, tlsServerName } = forward;
  const place = `${forward.file ?? 'Corefile'}, line ${forward.directive.line}`;
  if (name.kind === 'other') {
    const isSaid = live.doubts.some((doubt) => doubt.includes(`"${name.text}"`) && doubt.endsWith(name.why));
    return { upstreams: [], doubts: isSaid ? [] : [`${place}: ${name.text} was not asked: ${name.why}`] };
  }
  if (name.kind === 'address') {
    const { address: server, port, protocol } = name;
    const serverName = protocol === 'tls' ? tlsServerName : undefined;
    return { upstreams: [{ zone, server, port, protocol, serverName, origin: place }], doubts: [] };
  }
  const { confs, doubts } = await readUpstreamFile(context, live.files, name.path);
  const servers = confs.flatMap(({ nameservers, origin }) =>
    nameservers.map((server) => ({ server, origin })),
  );
  const unclear = servers.filter(({ server }) => !isServerAddress(server));
  return {
    upstreams: servers
      .filter(({ server }) => isServerAddress(server))
      .map(({ server, origin }) => ({
        zone,
        server,
        port: 53,
        protocol: 'dns',
        serverName: undefined,
        origin,
      })),
    doubts: [
      ...doubts,
      ...unclear.map(({ server, origin }) => `${origin}: ${server} was not asked: it is no address`),
    ],
  };
}
