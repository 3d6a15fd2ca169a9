import { z } from 'zod';
import { parseJson } from '../kube/failure-reasons.ts';
import type { Family } from '../netfilter/ruleset.ts';
import type { Route } from '../netfilter/walk/reading.ts';

/**
 * Reads what `ip -j [-4|-6] route show table all` prints. A route over several next hops is one for each of
 * them. Those that the kernel has put out of use, because their link is gone down, are left out.
 * Undefined when it is not that.
 */
export function parseRoutes(family: Family, stdout: string): readonly Route[] | undefined {
  const parsed = z.array(routeSchema()).safeParse(parseJson(stdout));
  return parsed.success ? parsed.data.flatMap((route) => readRoute(family, route)) : undefined;
}

/** Whether what `ip -j [-4|-6] rule show` prints has other rules than the kernel's own. Undefined when it is not that. */
export function parsePolicyRouting(stdout: string): boolean | undefined {
  const parsed = z.array(ruleSchema()).safeParse(parseJson(stdout));
  return parsed.success ? parsed.data.some((rule) => !isKernelsOwn(rule)) : undefined;
}

function readRoute(family: Family, route: RouteEntry): readonly Route[] {
  const hops = (route.nexthops ?? [route]).filter(({ flags }) => !flags?.includes('dead'));
  return hops.map((hop) => ({
    family,
    table: route.table ?? 'main',
    type: route.type ?? 'unicast',
    destination: readDestination(family, route.dst),
    link: hop.dev,
    gateway: hop.gateway ?? hop.via?.host,
    preferredSource: route.prefsrc,
    metric: route.metric ?? 0,
  }));
}

function readDestination(family: Family, text: string): string {
  if (text === 'default') return family === 'ipv4' ? '0.0.0.0/0' : '::/0';
  if (text.includes('/')) return text;
  return `${text}/${family === 'ipv4' ? 32 : 128}`;
}

const ownPriorities: Readonly<Record<string, number>> = { local: 0, main: 32_766, default: 32_767 };

function isKernelsOwn({ priority, src, table, ...conditions }: RuleEntry): boolean {
  const { protocol: _whoMadeIt, ...rest } = conditions;
  return (
    Object.keys(rest).length === 0 &&
    src === 'all' &&
    table !== undefined &&
    ownPriorities[table] === priority
  );
}

type RouteEntry = z.output<ReturnType<typeof routeSchema>>;
type RuleEntry = z.output<ReturnType<typeof ruleSchema>>;

function routeSchema() {
  const hop = {
    dev: z.string().optional(),
    gateway: z.string().optional(),
    /** Of the other family. */
    via: z.object({ host: z.string() }).optional(),
    flags: z.array(z.string()).optional(),
  };
  return z.object({
    ...hop,
    type: z.string().optional(),
    dst: z.string(),
    table: z.string().optional(),
    prefsrc: z.string().optional(),
    metric: z.number().optional(),
    nexthops: z.array(z.object(hop)).optional(),
  });
}

function ruleSchema() {
  return z.looseObject({
    priority: z.number().optional(),
    src: z.string().optional(),
    table: z.string().optional(),
  });
}
