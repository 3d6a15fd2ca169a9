/** What the rules are said to do with a new connection, and what the kernel does with it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mayPass } from '../../../src/netfilter/may-pass.ts';
import type { NewTcpPacket } from '../../../src/netfilter/may-pass-match.ts';
import { parseRuleset } from '../../../src/netfilter/parse-ruleset.ts';
import type { Ruleset } from '../../../src/netfilter/ruleset.ts';
import { type Client, type LabNode, startNode } from '../node/start-node.ts';
import { randomDump } from './random-rules.ts';

const backends = ['legacy', 'nft'] as const;

type Foreseen = 'accepted' | 'lost' | 'either';

describe.each(backends)('UFW and k3s in %s', (backend) => {
  const ssh = '-A ufw-user-input -p tcp -m tcp --dport 22';
  it.each<{ name: string; rules: readonly string[]; foreseen: Foreseen }>([
    // kube-router accepts marked packets behind it, and what carries which mark is not followed.
    { name: 'allow nothing', rules: [], foreseen: 'either' },
    { name: 'allow 22/tcp', rules: [`${ssh} -j ACCEPT`], foreseen: 'accepted' },
    {
      name: 'allow 22,80/tcp',
      rules: ['-A ufw-user-input -p tcp -m multiport --dports 22,80 -j ACCEPT'],
      foreseen: 'accepted',
    },
    {
      name: 'allow from where the client is',
      rules: ['-A ufw-user-input -s 192.168.60.0/24 -p tcp -j ACCEPT'],
      foreseen: 'either',
    },
    {
      name: 'allow from elsewhere',
      rules: ['-A ufw-user-input -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT'],
      foreseen: 'either',
    },
    { name: 'deny 22/tcp', rules: [`${ssh} -j DROP`], foreseen: 'lost' },
    {
      name: 'limit 22/tcp',
      rules: [
        `${ssh} -m conntrack --ctstate NEW -m limit --limit 6/min -j ACCEPT`,
        `${ssh} -j ufw-user-limit`,
        '-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable',
      ],
      foreseen: 'either',
    },
  ])('$name', async ({ rules, foreseen }) => {
    await using node = await startNode();
    const client = await listen(node, [22]);
    await node.restore(backend, 'ipv4', await ufw(rules));

    expect(predict(await readRules(node), { address: node.address, port: 22 })).toBe(foreseen);
    const fate = (await accepted(client, node, [22])).has(22) ? 'accepted' : 'lost';
    expect([fate, 'either']).toContain(foreseen);
  });
});

describe.each(backends)('random rules in %s', (backend) => {
  it('do nothing that was not foreseen', async () => {
    await using node = await startNode();
    const ports = Array.from({ length: 60 }, (_, index) => 1001 + index);
    const client = await listen(node, ports);
    const counts = { accepted: 0, lost: 0, either: 0 };
    for (const dump of fc.sample(randomDump(ports), { numRuns: 5, seed: 22 })) {
      await node.restore(backend, 'ipv4', dump);
      const [rulesets, passed] = await Promise.all([readRules(node), accepted(client, node, ports)]);
      for (const port of ports) {
        const prediction = predict(rulesets, { address: node.address, port });
        const fate = passed.has(port) ? 'accepted' : 'lost';
        counts[prediction]++;
        expect([fate, 'either'], `port ${port} is ${fate}\n${dump}`).toContain(prediction);
      }
    }
    // Else it would say nothing.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10);
  });
});

/** Something that listens on the node, and a client outside. */
async function listen(node: LabNode, ports: readonly number[]): Promise<Client> {
  const server = node.start([process.execPath, servePod, 'the node itself', ports.join(), '']);
  await server.waitForLine('serving');
  return node.addClient();
}

async function accepted(
  client: Client,
  node: LabNode,
  ports: readonly number[],
): Promise<ReadonlySet<number>> {
  const answer = await client.run([process.execPath, connectPorts, node.address, ports.join(), '1000']);
  return new Set(z.array(z.number()).parse(JSON.parse(answer)));
}

async function readRules(node: LabNode): Promise<readonly Ruleset[]> {
  const dumps = await Promise.all(backends.map((backend) => node.dump(backend, 'ipv4')));
  return dumps.map((dump) => {
    const parsed = parseRuleset(dump);
    if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
    return parsed.ruleset;
  });
}

function predict(rulesets: readonly Ruleset[], packet: NewTcpPacket): Foreseen {
  const hooks = rulesets.flatMap((ruleset) => mayPass(ruleset, packet));
  if (hooks.some(({ fates }) => !fates.has('accept'))) return 'lost';
  return hooks.every(({ fates }) => fates.size === 1) ? 'accepted' : 'either';
}

/** The recorded rules with others in place of what UFW's user had allowed. */
async function ufw(rules: readonly string[]): Promise<string> {
  const recorded = new URL(
    '../../../fixtures/k3s-ufw-reject-with-legacy-ghosts/iptables-nft-save.txt',
    import.meta.url,
  );
  const dump = (await readFile(recorded, 'utf8')).replace(/^-A ufw-user-(input|limit) .*\n/gm, '');
  const filter = dump.indexOf('*filter\n');
  const commit = dump.indexOf('COMMIT\n', filter);
  return `${dump.slice(0, commit)}${rules.map((rule) => `${rule}\n`).join('')}${dump.slice(commit)}`;
}

const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));
const connectPorts = fileURLToPath(new URL('./connect-ports.ts', import.meta.url));
