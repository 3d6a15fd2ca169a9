import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLinks } from '../../../src/facts/parse-links.ts';
import { parseRoutes } from '../../../src/facts/parse-routes.ts';
import { parseAddress } from '../../../src/netfilter/walk/addresses.ts';
import type { Branch, Flight } from '../../../src/netfilter/walk/flight.ts';
import { createEnvironment, type Environment } from '../../../src/netfilter/walk/nft/environment.ts';
import { isObject, unwrap } from '../../../src/netfilter/walk/nft/json.ts';
import { compileNftRule } from '../../../src/netfilter/walk/nft/rule.ts';
import type { NftRule } from '../../../src/netfilter/walk/nft/ruleset.ts';
import { refOfRule } from '../../../src/netfilter/walk/nft/table-rules.ts';
import type { NetworkReading } from '../../../src/netfilter/walk/reading.ts';
import { startFlight } from '../../../src/netfilter/walk/start-flight.ts';
import { withDestination } from '../../../src/netfilter/walk/translate.ts';
import { type LabNode, startNode } from '../node/start-node.ts';
import { askKernel, conditionsAt, greet, type Post, posts } from './ask-kernel.ts';
import { type Places, type Sent, sents } from './packets.ts';

/** Each condition of nft is asked about a packet by the kernel and by the walk. */
describe('conditions of nft', () => {
  let node: LabNode;
  let places: Places;
  let network: NetworkReading;

  beforeAll(async () => {
    node = await startNode();
    const client = await node.addClient();
    const pod = await node.addPod({ name: 'pod', address: '10.42.0.9', address6: 'fd00:42::9' });
    places = { node, client, pod };
    await node.run(['sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_broadcasts=0']);
    await greet(places);
    network = await readNetwork(node);
  });
  afterAll(() => node.stop());

  test.each(sents.map((sent) => [sent.name, sent] as const))('%s', async (_, sent) => {
    const table = await askKernel(places, sent);
    const environment = createEnvironment(sent.packet.family, table, network);
    const wrong: string[] = [];
    let open = 0;
    for (const post of posts) {
      const rules = table.chains.get(post.name)?.rules ?? [];
      const answers = askWalk(rules, sent, post, environment);
      if (answers.length > 0) expect(rules.some(isCounted), `${post.name} was not reached`).toBe(true);
      for (const [i, answer] of answers.entries()) {
        if (answer === 'open') open++;
        else if (answer === 'wrong') wrong.push(`${post.name}: ${conditionsAt(post)[i]?.text}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(open).toBeLessThan(40);
  });
});

/** For each rule whether the walk says what was counted; none where the packet does not come to. */
function askWalk(
  rules: readonly NftRule[],
  sent: Sent,
  { name, hook }: Post,
  environment: Environment,
): readonly ('right' | 'wrong' | 'open')[] {
  const links = sent.at[hook];
  if (!links) return [];
  const isLooped = hook === 'prerouting' && links.in === 'lo';
  const at = { hook, tracked: isLooped || !name.startsWith('raw') };
  let flight = flightOf(sent, links, name);
  return rules.map((rule) => {
    const ref = refOfRule({ backend: 'native', family: 'inet', table: 'asked', chain: name }, 1, rule);
    const branches = compileNftRule(ref, [...rule.expressions, { accept: null }], environment).follow(
      flight,
      at,
    );
    const seen = branches.find(({ next }) => isAccept(next) === isCounted(rule));
    flight = (seen ?? branches[0])?.flight ?? flight;
    if (!seen) return 'wrong';
    return branches.length > 1 ? 'open' : 'right';
  });
}

function flightOf({ packet, ledTo }: Sent, links: { in?: string; out?: string }, post: string): Flight {
  const start = { ...startFlight(packet), inLink: links.in, outLink: links.out };
  const address = ledTo === undefined ? undefined : parseAddress(ledTo, packet.family);
  return address && post !== 'raw_prerouting' ? withDestination(start, address, 'kept') : start;
}

function isAccept({ kind }: Branch['next']): boolean {
  return kind === 'accept';
}

function isCounted({ expressions }: NftRule): boolean {
  return expressions.some((each) => {
    const [kind, body] = unwrap(each) ?? [];
    return kind === 'counter' && isObject(body) && body['packets'] !== 0;
  });
}

async function readNetwork(node: LabNode): Promise<NetworkReading> {
  const ip = (...args: string[]) => node.run(['ip', '-j', ...args]);
  return {
    links: parseLinks(await ip('-d', 'address', 'show')),
    routes: [
      ...(parseRoutes('ipv4', await ip('-4', 'route', 'show', 'table', 'all')) ?? []),
      ...(parseRoutes('ipv6', await ip('-6', 'route', 'show', 'table', 'all')) ?? []),
    ],
    policyRouting: false,
    forwarding: { ipv4: true, ipv6: true },
  };
}
