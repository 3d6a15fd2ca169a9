import type { Config } from '../config/config.ts';
import type { ProbeResult } from '../engine/journal.ts';
import type { Host } from '../host/host.ts';
import { families } from '../netfilter/ruleset.ts';
import { findSshPort } from './ssh-port.ts';
import { judgeRules, type Way } from './ssh-rules.ts';

/**
 * The SSH server can be reached. A connection from here shows that it runs; whether one from outside
 * would get there only the rules can say, those of each family in which it was reached.
 */
export async function probeSsh(host: Host, config: Config): Promise<ProbeResult> {
  const port = await findSshPort(host);
  if (port.kind === 'none') return { probe: 'ssh', passed: false, detail: port.reason };
  const ways = await findWays(host, port.port);
  const [first] = ways;
  if (first === undefined) {
    const detail = `no address of this node accepts connections to port ${port.port}`;
    return { probe: 'ssh', passed: false, detail };
  }
  const mayLose: string[] = [];
  const shut: string[] = [];
  // One after the other: a dump of a big cluster has tens of megabytes.
  for (const way of ways) {
    const judged = await judgeRules(host, config, way);
    if (judged.kind === 'unknown') return { probe: 'ssh', passed: false, detail: judged.reason };
    const mustLose = judged.hooks.find(({ fates }) => !fates.has('accept'));
    if (mustLose) shut.push(mustLose.title);
    mayLose.push(
      ...judged.hooks.filter(({ fates }) => fates.size > 1 || !fates.has('accept')).map(({ title }) => title),
    );
  }
  const passed = shut.length < ways.length;
  const detail = passed
    ? `port ${first.port} accepts connections at ${first.addresses.join(', ')}, and the rules let them in`
    : `${shut.join(' and ')} lets no new connection to port ${first.port} in`;
  return { probe: 'ssh', passed, detail, ...(mayLose.length > 0 && { mayLose }) };
}

/**
 * Each family with the addresses at which the server accepts connections. Which of a node's addresses
 * others use is not known; the first few will do, of the hundreds that kube-proxy's ipvs mode adds.
 */
async function findWays(host: Host, port: number): Promise<readonly Way[]> {
  const found = await Promise.all(
    families.map(async (family) => {
      const own = (await host.localAddresses(family)).slice(0, 4);
      const tried = await Promise.all(own.map((address) => host.connectTcp(address, port, 2_000)));
      return { family, addresses: own.filter((_, index) => tried[index]?.kind === 'connected'), port };
    }),
  );
  return found.filter(({ addresses }) => addresses.length > 0);
}
