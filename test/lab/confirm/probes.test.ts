/** What is probed after a change of the firewall, on a node where all of it is there. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compareProbes } from '../../../src/engine/confirm/compare-probes.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { type LabNode, startNode } from '../node/start-node.ts';

const clusterDns = ['-d', '10.43.0.10', '-p', 'udp', '--dport', '53'];

describe('on a node with an API, an SSH server, cluster DNS and another node', () => {
  it('all probes pass, and looking changes nothing', async () => {
    await using node = await startCluster();
    const before = await node.snapshot();

    expect(await probe(node)).toEqual([
      { probe: 'api', passed: true, detail: 'the API server is ready (asked with /run/lab/kubeconfig)' },
      {
        probe: 'ssh',
        passed: true,
        detail: expect.stringMatching(
          /^port 22 accepts connections at .*192\.168\.60\.1.* and the rules let/,
        ),
      },
      { probe: 'dns', passed: true, detail: 'cluster DNS answers at 10.43.0.10' },
      { probe: 'peer', passed: true, detail: 'node 192.168.60.2 answers at port 10250' },
    ]);

    const { conntrack: _, ...after } = await node.snapshot();
    expect(before).toMatchObject(after);
  });

  it.each([
    // Who the other nodes are is known from the API.
    [
      ['api', 'peer'],
      ['-A', 'OUTPUT', '-p', 'tcp', '--dport', '6443', '-j', 'DROP'],
    ],
    [['ssh'], ['-I', 'INPUT', '!', '-i', 'lo', '-p', 'tcp', '--dport', '22', '-j', 'DROP']],
    [['dns'], ['-A', 'OUTPUT', '-p', 'udp', '--dport', '53', '-j', 'REJECT']],
    [['peer'], ['-A', 'OUTPUT', '-p', 'tcp', '--dport', '10250', '-j', 'DROP']],
  ])('%j fails when a rule stands in its way, and nothing else', async (names, rule) => {
    await using node = await startCluster();
    const before = await probe(node);
    await node.run(['iptables-nft', ...rule]);
    await node.run(['ip6tables-nft', ...rule]);

    const after = await probe(node);

    expect(after.filter(({ passed }) => !passed).map((result) => result.probe)).toEqual(names);
    expect(compareProbes(before, after)).toEqual(
      names.map((name) => expect.stringMatching(new RegExp(`^${name}: `))),
    );
  });

  it.each([
    ['tcp dport 22 drop', false],
    ['tcp dport 22 limit rate 1/minute accept; tcp dport 22 drop', true],
  ])('tables that no iptables made are judged, too: %s', async (rules, passes) => {
    await using node = await startCluster();
    const before = await probe(node);
    const begin = 'type filter hook input priority 10; iif lo accept; ct state established accept';
    const table = `table inet mine {\n chain guard {\n ${begin}; ${rules};\n }\n}\n`;
    await node.run(['nft', '-f', '-'], { input: table });

    const after = await probe(node);

    expect(after.find((each) => each.probe === 'ssh')?.passed).toBe(passes);
    expect(compareProbes(before, after)).toEqual(
      passes
        ? ['ssh: nft inet mine input may lose new connections, which it could not before']
        : [expect.stringMatching(/^ssh: nft inet mine input lets no new connection to port 22 in; before: /)],
    );
  });

  it('a rule that lets some in, and not others, is told from none', async () => {
    await using node = await startCluster();
    const before = await probe(node);
    await node.run(['iptables-legacy', '-A', 'INPUT', '-s', '10.9.0.0/16', '-p', 'tcp', '-j', 'DROP']);

    expect(compareProbes(before, await probe(node))).toEqual([
      'ssh: iptables-legacy filter INPUT may lose new connections, which it could not before',
    ]);
  });
});

/** A node that is up, with a peer at 192.168.60.2 where nothing listens: it refuses, so it is reached. */
async function startCluster(): Promise<LabNode> {
  const node = await startNode();
  await Promise.all([startApi(node), startDns(node), startSsh(node), node.addClient()]);
  await configure(node, { guards: {}, kubeconfig: '/run/lab/kubeconfig' });
  return node;
}

async function startApi(node: LabNode): Promise<void> {
  const items = [
    { metadata: { name: 'here' }, status: statusOf(node.address) },
    { metadata: { name: 'there' }, status: statusOf('192.168.60.2') },
  ];
  const services = [{ metadata: { name: 'kube-dns' }, spec: { clusterIP: '10.43.0.10' } }];
  const documents = {
    readyz: 'ok',
    'api/v1/nodes': { items },
    'api/v1/namespaces/kube-system/services': { items: services },
  };
  for (const [path, document] of Object.entries(documents)) {
    await node.writeFile(`/run/lab/api/${path}.json`, JSON.stringify(document));
  }
  const options = ['--data', '/run/lab/api', '--kubeconfig', '/run/lab/kubeconfig'];
  await node.start([process.execPath, apiServer, ...options]).waitForLine('listening');
}

function statusOf(address: string) {
  return {
    addresses: [{ type: 'InternalIP', address }],
    conditions: [{ type: 'Ready', status: 'True' }],
  };
}

async function startDns(node: LabNode): Promise<void> {
  const pod = await node.addPod({ name: 'dns', address: '10.42.0.53' });
  await pod.start([process.execPath, serveDns]).waitForLine('serving');
  const toPod = ['-j', 'DNAT', '--to-destination', '10.42.0.53:53'];
  await node.run(['iptables-nft', '-t', 'nat', '-A', 'OUTPUT', ...clusterDns, ...toPod]);
}

async function startSsh(node: LabNode): Promise<void> {
  const server = node.start([process.execPath, servePod, 'sshd', '22', '']);
  await server.waitForLine('serving');
}

const apiServer = fileURLToPath(new URL('../api-server/main.ts', import.meta.url));
const serveDns = fileURLToPath(new URL('./serve-dns.ts', import.meta.url));
const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));

async function probe(node: LabNode) {
  const { exitCode, stdout, stderr } = await node.doctor(['probe']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return z
    .array(
      z.object({
        probe: z.enum(['api', 'ssh', 'dns', 'peer']),
        passed: z.boolean(),
        detail: z.string(),
        mayLose: z.array(z.string()).exactOptional(),
      }),
    )
    .parse(JSON.parse(stdout));
}
