import type { Fact, FactContext } from '../engine/fact.ts';
import { type Family, families } from '../netfilter/ruleset.ts';
import type { Link, NetworkReading, Route } from '../netfilter/walk/reading.ts';
import { parseLinks } from './parse-links.ts';
import { parsePolicyRouting, parseRoutes } from './parse-routes.ts';

/** Links, addresses, routes and forwarding of this node. */
export const networkFact: Fact<NetworkReading> = {
  id: 'network',
  async gather(context) {
    const forwarding = await readForwarding(context);
    const there = families.filter((family) => forwarding[family] !== 'no-such-family');
    const [links, localnet, routes, policyRouting] = await Promise.all([
      readLinks(context),
      context.host.readFile('/proc/sys/net/ipv4/conf/all/route_localnet'),
      Promise.all(there.map((family) => readRoutes(context, family))),
      Promise.all(there.map((family) => hasPolicyRouting(context, family))),
    ]);
    const isOn = (family: Family) => (forwarding[family] === 'no-such-family' ? false : forwarding[family]);
    return {
      links,
      routes: routes.every((some) => some !== undefined) ? routes.flat() : undefined,
      policyRouting: policyRouting.includes(true) || (policyRouting.includes(undefined) ? undefined : false),
      forwarding: { ipv4: isOn('ipv4'), ipv6: isOn('ipv6') },
      // Where it is off for all it may be on for one link.
      ...(localnet.kind === 'read' && localnet.text.trim() === '1' && { routesLoopback: true }),
    };
  },
};

type Forwarding = boolean | 'no-such-family' | undefined;

/** A kernel without IPv6 has no switch for it, but the other one. */
async function readForwarding({ host }: FactContext): Promise<Readonly<Record<Family, Forwarding>>> {
  const [ipv4, ipv6] = await Promise.all([
    host.readFile('/proc/sys/net/ipv4/ip_forward'),
    host.readFile('/proc/sys/net/ipv6/conf/all/forwarding'),
  ]);
  const isOn = (file: typeof ipv4) => (file.kind === 'read' ? file.text.trim() !== '0' : undefined);
  const noIpv6 = ipv4.kind === 'read' && ipv6.kind === 'absent';
  return { ipv4: isOn(ipv4), ipv6: noIpv6 ? 'no-such-family' : isOn(ipv6) };
}

async function readLinks(context: FactContext): Promise<readonly Link[] | undefined> {
  const stdout = await ip(context, ['-j', '-d', 'address', 'show']);
  return stdout === undefined ? undefined : parseLinks(stdout);
}

async function readRoutes(context: FactContext, family: Family): Promise<readonly Route[] | undefined> {
  const stdout = await ip(context, ['-j', option[family], 'route', 'show', 'table', 'all']);
  return stdout === undefined ? undefined : parseRoutes(family, stdout);
}

async function hasPolicyRouting(context: FactContext, family: Family): Promise<boolean | undefined> {
  const stdout = await ip(context, ['-j', option[family], 'rule', 'show']);
  return stdout === undefined ? undefined : parsePolicyRouting(stdout);
}

const option = { ipv4: '-4', ipv6: '-6' } as const;

/** What it printed; undefined when it failed. Where there is nothing to print, some versions print nothing. */
async function ip({ host, config }: FactContext, args: readonly string[]): Promise<string | undefined> {
  const result = await host.run({ tool: 'ip', args, timeoutMs: config.commandTimeoutMs });
  if (result.kind !== 'exited' || result.exitCode !== 0) return undefined;
  return result.stdout.trim() || '[]';
}
