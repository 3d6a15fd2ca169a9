import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import type { Host } from '../../src/host/host.ts';
import { clusterDnsPath } from '../../src/kube/cluster-dns.ts';
import { someNodesPath } from '../../src/kube/nodes.ts';
import { runProbes } from '../../src/probes/run-probes.ts';
import { type MadeUpNode, madeUpNode } from '../engine/confirm/made-up-node.ts';

const anyAddress =
  '   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1';
const loopbackOnly = anyAddress.replace('00000000', '0100007F');

const node = {
  localAddresses: { ipv4: ['192.168.60.1'] },
  files: [
    { path: '/proc/net/tcp', text: `  sl  local_address rem_address   st\n${anyAddress}\n` },
    { path: '/proc/net/udp', text: '\n' },
    { path: '/proc/sys/net/ipv4/ip_forward', text: '1\n' },
    { path: '/proc/modules', text: 'ip_tables 1 0 - Live 0x0\n' },
    { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
    { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/fs/ext4.ko\n' },
    { path: '/proc/net/ip_tables_names', text: 'filter\n' },
  ],
  connects: [
    { address: '192.168.60.1', port: 22, result: 'connected' },
    { address: '192.168.60.2', port: 10250, result: 'refused' },
  ],
  commands: [
    { tool: 'iptables-legacy-save', args: ['-c'], stdout: 'legacy' },
    { tool: 'ip', args: ['-j', '-d', 'address', 'show'], stdout: 'links' },
    { tool: 'ip', args: ['-j', '-4', 'route', 'show', 'table', 'all'], stdout: 'routes' },
    { tool: 'ip', args: ['-j', '-4', 'rule', 'show'], stdout: 'rules' },
  ],
  kube: [
    { path: '/readyz', body: 'readyz', source: 'k3s.yaml' },
    { path: clusterDnsPath, body: 'services' },
    { path: someNodesPath, body: 'nodes' },
  ],
  texts: {
    readyz: 'ok',
    links: JSON.stringify([
      {
        ifindex: 2,
        ifname: 'eth0',
        flags: ['UP'],
        mtu: 1500,
        addr_info: [{ family: 'inet', local: '192.168.60.1', prefixlen: 24, scope: 'global' }],
      },
    ]),
    routes: JSON.stringify([
      { dst: 'default', gateway: '192.168.60.254', dev: 'eth0', flags: [] },
      { dst: '192.168.60.0/24', dev: 'eth0', scope: 'link', flags: [] },
      { type: 'local', dst: '192.168.60.1', dev: 'eth0', table: 'local', flags: [] },
    ]),
    rules: JSON.stringify([
      { priority: 0, src: 'all', table: 'local' },
      { priority: 32766, src: 'all', table: 'main' },
      { priority: 32767, src: 'all', table: 'default' },
    ]),
    legacy: dump('ACCEPT'),
    services: JSON.stringify({
      items: [{ metadata: { name: 'kube-dns' }, spec: { clusterIP: '10.99.0.10' } }],
    }),
    nodes: JSON.stringify({
      items: [
        cluster('here', '192.168.60.1', 'True'),
        cluster('ill', '192.168.60.3', 'False'),
        cluster('there', '192.168.60.2', 'True'),
      ],
    }),
  },
} satisfies MadeUpNode;

const answering: Partial<Host> = {
  askDns: async (questions) =>
    questions.map(({ server, name }) =>
      server === '10.99.0.10' && name === 'kubernetes.default.svc.cluster.local'
        ? { kind: 'answered', code: 'NOERROR', records: ['10.43.0.1'], truncated: false, elapsedMs: 1 }
        : { kind: 'blocked', reason: `nobody is at ${server}` },
    ),
};

describe('on a node where all is well', () => {
  it('every probe passes and says what answered', async () => {
    expect(await probe(node)).toEqual([
      { probe: 'api', passed: true, detail: 'the API server is ready (asked with k3s.yaml)' },
      {
        probe: 'ssh',
        passed: true,
        detail: 'port 22 accepts connections at 192.168.60.1, and the rules let them in',
      },
      { probe: 'dns', passed: true, detail: 'cluster DNS answers at 10.99.0.10' },
      { probe: 'peer', passed: true, detail: 'node 192.168.60.2 answers at port 10250' },
    ]);
  });

  it('those that are switched off are left out', async () => {
    const config = defaultConfig();
    const probes = { ...config.guards.probes, ssh: false, peer: false };
    const host = await madeUpNode(node, answering);
    const results = await runProbes(host, { ...config, guards: { ...config.guards, probes } });
    expect(results.map(({ probe: name }) => name)).toEqual(['api', 'dns']);
  });
});

describe('on a node that nothing is known of', () => {
  it('no probe passes, and each says why', async () => {
    expect(await probe({}, {})).toEqual([
      { probe: 'api', passed: false, detail: 'the API server is not ready: not recorded' },
      { probe: 'ssh', passed: false, detail: 'no address of this node accepts connections to port 22' },
      { probe: 'dns', passed: false, detail: 'cluster DNS at 10.43.0.10 does not answer: not recorded' },
      {
        probe: 'peer',
        passed: false,
        detail: 'no other node was reached: it is not known who: not recorded',
      },
    ]);
  });

  it('an API that keeps silent is given up', async () => {
    const silent = { ...answering, kubeGet: () => Promise.withResolvers<never>().promise };
    expect((await probe(node, silent))[0]?.detail).toBe('the API server is not ready: no answer in 2 s');
  });
});

describe('the SSH server', () => {
  const sshConfig = (text: string) => ({
    ...node,
    files: [...node.files, { path: '/etc/ssh/sshd_config', text }],
  });

  it('does not count when it listens on the loopback address alone', async () => {
    const files = [{ path: '/proc/net/tcp', text: `${loopbackOnly}\n` }, ...node.files.slice(1)];
    expect(await ssh({ ...node, files })).toMatchObject({ passed: false });
  });

  it('is looked for at the ports of its configuration', async () => {
    expect(await ssh(sshConfig('#Port 22\nPort 2222\n'))).toMatchObject({
      detail: 'no SSH server listens on port 2222',
    });
    expect(await ssh(sshConfig('ListenAddress 0.0.0.0:2222\nListenAddress ::\n'))).toMatchObject({
      passed: true,
    });
    const included = {
      ...node,
      files: [...node.files, { path: '/etc/ssh/sshd_config.d/10-port.conf', text: 'Port 2200\n' }],
      directories: [{ path: '/etc/ssh/sshd_config.d', entries: ['10-port.conf'] }],
    };
    expect(await ssh(included)).toMatchObject({ detail: 'no SSH server listens on port 2200' });
  });

  it('has not passed when it does not accept connections', async () => {
    expect(await ssh({ ...node, connects: [] })).toMatchObject({
      passed: false,
      detail: 'no address of this node accepts connections to port 22',
    });
  });

  it('has not passed when the rules let nobody in, whatever is accepted from here', async () => {
    expect(await ssh({ ...node, texts: { ...node.texts, legacy: dump('DROP') } })).toEqual({
      probe: 'ssh',
      passed: false,
      detail: 'iptables-legacy filter INPUT lets no new connection to port 22 in',
      mayLose: [
        'iptables-legacy filter INPUT',
        'from 198.51.100.7: iptables-legacy filter INPUT',
        'from 192.168.60.254: iptables-legacy filter INPUT',
      ],
    });
  });

  it('says where in the rules it depends', async () => {
    const some = dump('DROP', '-A INPUT -s 10.0.0.0/8 -j ACCEPT', '-A INPUT -s 198.51.100.0/24 -j ACCEPT');
    expect(await ssh({ ...node, texts: { ...node.texts, legacy: some } })).toMatchObject({
      passed: true,
      mayLose: ['iptables-legacy filter INPUT', 'from 192.168.60.254: iptables-legacy filter INPUT'],
    });
    // Whoever a rule names may be kept out at any time: it matters where, and not who.
    const ban = dump('ACCEPT', '-A INPUT -s 203.0.113.9/32 -p tcp -j DROP');
    expect(await ssh({ ...node, texts: { ...node.texts, legacy: ban } })).toMatchObject({
      passed: true,
      mayLose: ['iptables-legacy filter INPUT'],
    });
  });

  it('is lost at a hook, whatever chain the rule is in', async () => {
    const legacy = dump(
      'ACCEPT',
      ':mine - [0:0]',
      '-A INPUT -p tcp -j mine',
      '-A mine -s 203.0.113.9/32 -j DROP',
    );
    expect(await ssh({ ...node, texts: { ...node.texts, legacy } })).toMatchObject({
      mayLose: ['iptables-legacy filter INPUT'],
    });
  });

  it('has not passed when the rules cannot be read', async () => {
    const without = (tool: string) => ({
      ...node,
      commands: node.commands.filter((each) => each.tool !== tool),
    });
    expect(await ssh(without('iptables-legacy-save'))).toMatchObject({
      passed: false,
      detail: expect.stringMatching(/^the rules cannot be judged: legacy tables are registered \(filter\)/),
    });
    expect(await ssh(without('ip'))).toMatchObject({
      passed: false,
      detail: 'the rules cannot be judged: ip does not list the addresses of this node',
    });
    expect(await ssh({ ...node, texts: { ...node.texts, legacy: '*filter\n' } })).toMatchObject({
      detail: expect.stringContaining('before its COMMIT'),
    });
  });

  it.each([
    ['filter\n', ['iptables-legacy-save']],
    ['', []],
  ])('is judged without a dump of a backend that is not in use: %j', async (names, dumps) => {
    const asked: string[] = [];
    const files = [...node.files.slice(0, -1), { path: '/proc/net/ip_tables_names', text: names }];
    const host = await madeUpNode({ ...node, files });
    const run: Host['run'] = (command) => {
      if (command.tool !== 'ip') asked.push(command.tool);
      return host.run(command);
    };
    expect((await runProbes({ ...host, run }, defaultConfig()))[1]).toMatchObject({
      probe: 'ssh',
      passed: true,
    });
    expect(asked).toEqual(dumps);
  });
});

describe('other nodes', () => {
  it('are not reached when none is ready, or none answers', async () => {
    const alone = JSON.stringify({ items: [cluster('here', '192.168.60.1', 'True')] });
    expect(await peer({ ...node, texts: { ...node.texts, nodes: alone } })).toBe(
      'no other node was reached: there is no other node that is ready',
    );
    expect(await peer({ ...node, connects: [] })).toBe(
      'no other node was reached: none of 192.168.60.2 answers at port 10250',
    );
    expect(await peer({ ...node, texts: { ...node.texts, nodes: '{}' } })).toBe(
      'no other node was reached: it is not known who: items: expected array, received undefined',
    );
  });
});

async function probe(made: MadeUpNode, live = answering) {
  return runProbes(await madeUpNode(made, live), defaultConfig());
}

async function ssh(made: MadeUpNode) {
  return (await probe(made))[1];
}

async function peer(made: MadeUpNode) {
  return (await probe(made))[3]?.detail;
}

function dump(policy: string, ...rules: readonly string[]): string {
  return ['*filter', `:INPUT ${policy} [0:0]`, ...rules, 'COMMIT', ''].join('\n');
}

function cluster(name: string, address: string, ready: string) {
  const addresses = [
    { type: 'InternalIP', address },
    { type: 'Hostname', address: name },
  ];
  return { metadata: { name }, status: { addresses, conditions: [{ type: 'Ready', status: ready }] } };
}
