import { z } from 'zod';
import { parseJson } from '../kube/failure-reasons.ts';
import type { Link, LinkAddress } from '../netfilter/walk/reading.ts';

/** Reads what `ip -j -d address show` prints. Undefined when it is not that. */
export function parseLinks(stdout: string): readonly Link[] | undefined {
  const parsed = listSchema().safeParse(parseJson(stdout));
  if (!parsed.success) return undefined;
  return parsed.data.filter(isLink).map((link) => ({
    index: link.ifindex,
    name: link.ifname,
    kind: link.linkinfo?.info_kind,
    up: link.flags.includes('UP'),
    loopback: link.flags.includes('LOOPBACK'),
    mtu: link.mtu,
    mac: link.link_type === 'ether' ? link.address : undefined,
    master: link.linkinfo?.info_slave_kind === 'bridge' ? link.master : undefined,
    addresses: (link.addr_info ?? []).flatMap(readAddress),
  }));
}

/** Old versions of ip print an empty object for what they filter out. */
function isLink(entry: Entry): entry is LinkEntry {
  return 'ifname' in entry;
}

function readAddress({ family, local, prefixlen, broadcast, scope }: AddressEntry): readonly LinkAddress[] {
  if (local === undefined || prefixlen === undefined) return [];
  if (family !== 'inet' && family !== 'inet6') return [];
  return [
    {
      family: family === 'inet' ? 'ipv4' : 'ipv6',
      address: local,
      prefixLength: prefixlen,
      broadcast,
      scope: scope ?? 'global',
    },
  ];
}

type Entry = z.output<ReturnType<typeof listSchema>>[number];
type LinkEntry = z.output<ReturnType<typeof linkSchema>>;
type AddressEntry = z.output<ReturnType<typeof addressSchema>>;

function listSchema() {
  return z.array(z.union([linkSchema(), z.strictObject({})]));
}

function linkSchema() {
  return z.object({
    ifindex: z.number(),
    ifname: z.string(),
    flags: z.array(z.string()),
    mtu: z.number(),
    master: z.string().optional(),
    link_type: z.string().optional(),
    address: z.string().optional(),
    linkinfo: z
      .object({ info_kind: z.string().optional(), info_slave_kind: z.string().optional() })
      .optional(),
    addr_info: z.array(addressSchema()).optional(),
  });
}

function addressSchema() {
  return z.object({
    family: z.string().optional(),
    local: z.string().optional(),
    prefixlen: z.number().optional(),
    broadcast: z.string().optional(),
    scope: z.string().optional(),
  });
}
