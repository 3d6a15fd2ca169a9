import type { Config } from '../config/config.ts';
import { createFactContext, type FactContext } from '../engine/fact.ts';
import type { ProbeResult } from '../engine/journal.ts';
import { ipSetsFact } from '../facts/ip-sets.ts';
import { iptablesFact } from '../facts/iptables.ts';
import { networkFact } from '../facts/network.ts';
import { nftRulesetFact } from '../facts/nft-ruleset.ts';
import { type SshAccess, sshAccessFact } from '../facts/ssh-access.ts';
import { namedSources } from '../facts/ways/named-sources.ts';
import { generalSources, sshWays } from '../facts/ways/ssh-ways.ts';
import type { Way } from '../facts/ways/way.ts';
import type { Host } from '../host/host.ts';
import { backends, type Family, families } from '../netfilter/ruleset.ts';
import { createFirewall, type Firewall } from '../netfilter/walk/firewall.ts';
import type { Packet } from '../netfilter/walk/packet.ts';
import type { FirewallReading } from '../netfilter/walk/reading.ts';
import { hooksOfLoss } from './hooks-of-loss.ts';

/**
 * The SSH server can be reached. A connection from here shows that it runs; whether one from outside
 * would get there only the rules can say, those of each family in which it was reached.
 */
export async function probeSsh(anyHost: Host, config: Config): Promise<ProbeResult> {
  const host = inTime(anyHost, config);
  const context = createFactContext(host, config);
  const ssh = await context.get(sshAccessFact);
  const [port] = ssh.ports;
  if (port === undefined) return failed(`no SSH server listens on port ${ssh.configured.join(', ')}`);
  const reached = await findReached(host, port);
  const addresses = reached.flatMap((each) => each.addresses);
  if (addresses.length === 0) return failed(`no address of this node accepts connections to port ${port}`);
  const inUse = reached.flatMap(({ family, addresses: some }) => (some.length > 0 ? [family] : []));
  const reading = await readFirewall(context);
  const unread = whyUnread(reading, inUse);
  if (unread !== undefined) return failed(`the rules cannot be judged: ${unread}`);
  const walked = walkSsh(createFirewall(reading), { ssh, inUse, config });
  return judge(walked, { port, addresses });
}

function failed(detail: string): ProbeResult {
  return { probe: 'ssh', passed: false, detail };
}

/**
 * Each family with the addresses at which the server accepts connections. Which of a node's addresses
 * others use is not known; the first few will do, of the hundreds that kube-proxy's ipvs mode adds.
 */
function findReached(host: Host, port: number) {
  return Promise.all(
    families.map(async (family) => {
      const own = (await host.localAddresses(family)).slice(0, 4);
      const tried = await Promise.all(own.map((address) => host.connectTcp(address, port, 2_000)));
      return { family, addresses: own.filter((_, index) => tried[index]?.kind === 'connected') };
    }),
  );
}

/** Which nat table comes first is not asked: that takes a connection, and SSH is seldom translated. */
async function readFirewall({ get }: FactContext): Promise<FirewallReading> {
  const [iptables, nft, network] = await Promise.all([
    get(iptablesFact),
    get(nftRulesetFact),
    get(networkFact),
  ]);
  const sets = await get(ipSetsFact);
  return { iptables, nft, network, sets, natFirst: { ipv4: undefined, ipv6: undefined } };
}

function whyUnread({ iptables, network }: FirewallReading, inUse: readonly Family[]): string | undefined {
  if (network.links === undefined) return 'ip does not list the addresses of this node';
  const dumps = backends.flatMap((backend) => inUse.map((family) => iptables[backend][family]));
  return dumps.flatMap((dump) => (dump.kind === 'unknown' ? [dump.reason] : []))[0];
}

interface Walked {
  readonly isNew: boolean;
  readonly mayPass: boolean;
  /** Where it may be lost. */
  readonly hooks: readonly string[];
  /** The same, and who is known to be shut out there. */
  readonly losses: readonly string[];
}

interface Ssh {
  readonly ssh: SshAccess;
  readonly inUse: readonly Family[];
  readonly config: Config;
}

/**
 * Of those who are known to come, or may, it matters who is shut out. Of addresses that rules name only
 * where: another program may keep one more of them out at any time.
 */
function walkSsh(firewall: Firewall, { ssh, inUse, config }: Ssh): readonly Walked[] {
  const { reading } = firewall;
  const { network } = reading;
  const sources = generalSources(config.guards.adminNetworks, network);
  const named = inUse.flatMap((family) => namedSources(reading, family, ssh.ports));
  return [
    ...sshWays({ ssh, network, sources }).map((way) => walk(way, peerOf)),
    ...sshWays({ ssh: { ...ssh, sessions: [] }, network, sources: named }).map((way) => walk(way)),
  ].flat();

  function walk({ packet }: Way, nameOf?: (packet: Packet) => string): readonly Walked[] {
    if (!inUse.includes(packet.family)) return [];
    const walked = firewall.walk(packet);
    const mayPass = walked.ends.some(({ fate }) => fate === 'pass');
    const hooks = hooksOfLoss(walked);
    // What native tables do, when they are listed the next time, is no news then.
    const untold = reading.nft.kind === 'unknown' ? ['nft'] : [];
    const shut = mayPass ? untold : [...hooks, ...untold];
    const from = nameOf ? shut.map((hook) => `from ${nameOf(packet)}: ${hook}`) : [];
    return [
      {
        isNew: packet.state === 'NEW',
        mayPass,
        hooks: [...hooks, ...untold],
        losses: [...hooks, ...untold, ...from],
      },
    ];
  }
}

function peerOf({ origin, source, destination }: Packet): string {
  return origin.kind === 'link' ? source : destination;
}

interface Server {
  readonly port: number;
  readonly addresses: readonly string[];
}

function judge(walked: readonly Walked[], { port, addresses }: Server): ProbeResult {
  const losses = new Set(walked.flatMap((each) => each.losses));
  const news = walked.filter(({ isNew }) => isNew);
  const passed = news.length === 0 || news.some(({ mayPass }) => mayPass);
  const shut = new Set(news.flatMap(({ hooks }) => hooks));
  const detail = passed
    ? `port ${port} accepts connections at ${addresses.join(', ')}, and the rules let them in`
    : `${[...shut].join(' and ')} lets no new connection to port ${port} in`;
  return { probe: 'ssh', passed, detail, ...(losses.size > 0 && { mayLose: [...losses] }) };
}

/**
 * Whoever asked waits for `commandTimeoutMs` and 5 seconds more. A list of rules that takes longer is
 * done without, and what is not there then counts as not seen.
 */
function inTime(host: Host, { commandTimeoutMs }: Config): Host {
  const deadline = host.now().getTime() + commandTimeoutMs + 2_000;
  const limited = <C extends { readonly timeoutMs?: number }>(command: C): C => {
    const left = Math.max(1_000, deadline - host.now().getTime());
    return { ...command, timeoutMs: Math.min(command.timeoutMs ?? commandTimeoutMs, left) };
  };
  return {
    ...host,
    run: (command) => host.run(limited(command)),
    runLines: (command, onLine) => host.runLines(limited(command), onLine),
  };
}
