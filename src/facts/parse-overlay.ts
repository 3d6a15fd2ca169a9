import { z } from 'zod';

/** A VXLAN link as `ip -j -d link show` describes it. */
export interface FoundTunnel {
  readonly mtu: number;
  readonly mac: string;
  readonly up: boolean;
  readonly vni: number;
  readonly port: number;
  /** The tunnel's own address on this node. */
  readonly local: string | undefined;
  /** The link that its packets leave over. */
  readonly underlay: string | undefined;
}

/** Undefined when it is no VXLAN link, or the text is something else. */
export function parseTunnel(text: string): FoundTunnel | undefined {
  const data = z.object({
    id: z.number(),
    port: z.number(),
    local: z.string().optional(),
    local6: z.string().optional(),
    link: z.string().optional(),
  });
  const link = z.object({
    mtu: z.number(),
    address: z.string(),
    flags: z.array(z.string()),
    linkinfo: z.object({ info_kind: z.literal('vxlan'), info_data: data }),
  });
  const parsed = z.array(link).safeParse(parseJson(text));
  const [found] = parsed.data ?? [];
  if (found === undefined) return undefined;
  const { id, port, local, local6, link: underlay } = found.linkinfo.info_data;
  return {
    mtu: found.mtu,
    mac: found.address,
    up: found.flags.includes('UP'),
    vni: id,
    port,
    local: local ?? local6,
    underlay,
  };
}

/** `ip -j neigh show dev LINK`: MAC addresses by inner address. Failed entries have none. */
export function parseNeighbours(text: string): ReadonlyMap<string, string> | undefined {
  const entry = z.object({ dst: z.string(), lladdr: z.string().optional() });
  const parsed = z.array(entry).safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  return new Map(parsed.data.flatMap(({ dst, lladdr }) => (lladdr === undefined ? [] : [[dst, lladdr]])));
}

/** `bridge -j fdb show dev LINK`: tunnel addresses by MAC address. */
export function parseFdb(text: string): ReadonlyMap<string, readonly string[]> | undefined {
  const entry = z.object({ mac: z.string(), dst: z.string().optional() });
  const parsed = z.array(entry).safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const byMac = Map.groupBy(parsed.data, ({ mac }) => mac);
  return new Map(
    [...byMac].map(([mac, entries]) => [mac, entries.flatMap(({ dst }) => (dst === undefined ? [] : [dst]))]),
  );
}

/** iproute2 prints nothing at all for an empty list. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return [];
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `ip -j route get ADDRESS`. */
export function parseRouteGet(
  text: string,
): { readonly link: string; readonly gateway: string | undefined } | undefined {
  const route = z.object({ dev: z.string(), gateway: z.string().optional() });
  const [found] = z.array(route).safeParse(parseJson(text)).data ?? [];
  return found && { link: found.dev, gateway: found.gateway };
}
