import { describe, expect, it } from 'vitest';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { DoctorError } from '../../src/doctor-error.ts';
import type { Fact, FactContext } from '../../src/engine/fact.ts';
import type { CommandStep, IptablesBatchStep, Step } from '../../src/engine/step.ts';
import type { ClusterNodes, NodeFacts } from '../../src/facts/cluster-nodes.ts';
import type { PodNetwork } from '../../src/facts/pod-network.ts';
import type { SshSession } from '../../src/facts/ssh-access.ts';
import type { Backend } from '../../src/netfilter/ruleset.ts';
import { createFirewall } from '../../src/netfilter/walk/firewall.ts';
import type { FirewallReading } from '../../src/netfilter/walk/reading.ts';
import { refuseLockOut } from '../../src/probes/lock-out.ts';
import { madeUpNode } from '../engine/confirm/made-up-node.ts';
import { filter, network, readingWith } from './made-up-reading.ts';

const ssh = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';
const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
const shut = [':INPUT DROP [0:0]', established];

describe('SSH', () => {
  it('by the one rule that lets it in: its removal is refused, and the rule named that decides then', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh) });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ssh)]);
    expect(verdict?.reasons[0]).toBe(
      'iptables-legacy filter: remove 1 rule in one transaction: a new SSH connection from 198.51.100.7 to ' +
        '192.168.60.1 port 22 passes now and would be dropped by the policy of INPUT, iptables-legacy filter',
    );
  });

  it('by another rule besides: nothing is lost', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh, '-A INPUT -s 0.0.0.0/0 -j ACCEPT') });
    expect(await judge({ reading, ports: [22] }, [remove(ssh)])).toEqual([passed]);
  });

  it('at a port where nobody listens is nobody to be shut out', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh) });
    expect(await judge({ reading, ports: [] }, [remove(ssh)])).toEqual([passed]);
    expect(await judge({ reading, ports: [2222] }, [remove(ssh)])).toEqual([passed]);
  });

  it('that nobody gets to now cannot be lost', async () => {
    const drop = '-A INPUT -p tcp -m tcp --dport 22 -j DROP';
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh), 'nft ipv4': filter(drop) });
    expect(await judge({ reading, ports: [22] }, [remove(ssh)])).toEqual([passed]);
  });

  it('in IPv6 is judged by its own rules', async () => {
    const reading = readingWith({ 'nft ipv4': filter(ssh), 'nft ipv6': filter(...shut, ssh) });
    const [verdict] = await judge({ reading, ports: [22] }, [
      remove(ssh, { backend: 'nft', family: 'ipv6' }),
    ]);
    expect(verdict?.reasons[0]).toMatch(/from 2001:db8::7 to fd00:60::1 .* ip6tables-nft filter$/);
  });

  it.each([
    ['a network that the configuration names', '10.0.0.0/8', ['10.1.0.0/16'], /from 10\.1\.0\.1 /],
    ['a network that only a rule names', '10.1.0.0/16', [], /from 10\.1\.0\.1 /],
    ['a neighbour', '192.168.60.0/24', [], /from 192\.168\.60\.254 /],
  ])('from %s', async (_who, source, adminNetworks, expected) => {
    const only = `-A INPUT -s ${source} -p tcp -m tcp --dport 22 -j ACCEPT`;
    const reading = readingWith({ 'legacy ipv4': filter(...shut, only) });
    const [verdict] = await judge({ reading, ports: [22], adminNetworks }, [remove(only)]);
    expect(verdict?.reasons.join('\n')).toMatch(expected);
  });

  it('sessions that are open stay so, in both directions', async () => {
    const session = {
      family: 'ipv4',
      address: '192.168.60.1',
      port: 22,
      peer: '10.9.9.9',
      peerPort: 40_001,
    } as const;
    const reading = readingWith({
      'legacy ipv4': filter(
        ':OUTPUT DROP [0:0]',
        ...shut,
        '-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      ),
    });
    const given = { reading, ports: [22], sessions: [session] };
    const [incoming] = await judge(given, [remove(established)]);
    expect(incoming?.reasons[0]).toMatch(
      /: the open SSH session with 10\.9\.9\.9 passes now and would be dropped/,
    );
    const [outgoing] = await judge(given, [remove('-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT')]);
    expect(outgoing?.reasons[0]).toMatch(
      /what this node sends in the open SSH session with 10\.9\.9\.9 passes/,
    );
  });

  it('is not sent elsewhere', async () => {
    const nat = ['*nat', ':PREROUTING ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', 'COMMIT', ''].join('\n');
    const reading = readingWith({ 'legacy ipv4': nat });
    const line = '-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 10.42.0.9:22';
    const [verdict] = await judge({ reading, ports: [22] }, [add('PREROUTING', line, 'nat')]);
    expect(verdict?.reasons[0]).toMatch(
      /would not come to this node any more: rule 1 of PREROUTING, iptables-legacy nat \(.*\) sends it to 10\.42\.0\.9$/,
    );
  });

  it('that may or may not pass is not shut out for good', async () => {
    const limited = '-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 3/min -j ACCEPT';
    const reading = readingWith({ 'legacy ipv4': filter(...shut, limited) });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(limited)]);
    expect(verdict?.reasons[0]).toMatch(/ may pass now and would be dropped by the policy/);
    const [made] = await judge(
      { reading: readingWith({ 'legacy ipv4': filter(...shut, ssh, limited) }), ports: [22] },
      [remove(ssh)],
    );
    expect(made?.reasons[0]).toMatch(/ passes now and might be dropped by the policy/);
  });

  it('is judged in between two steps, too', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh) });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ssh), add('INPUT', ssh)]);
    expect(verdict?.reasons[0]).toMatch(/^iptables-legacy filter: remove 1 rule/);
    expect(await judge({ reading, ports: [22] }, [add('INPUT', `${ssh} -m comment`), remove(ssh)])).toEqual([
      passed,
    ]);
  });
});

describe('what cannot be told', () => {
  const riddle = '-A INPUT -p tcp -m riddle --answer 42 -j DROP';
  const ghost = '-A INPUT -p udp -j ACCEPT';

  it('and is the same before and after is a note', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(ghost, riddle) });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ghost)]);
    expect(verdict?.reasons).toEqual([]);
    expect(verdict?.notes[0]).toMatch(
      /^a new SSH connection from \S+ to \S+ port 22 may pass or not, before and after: rule 1 of INPUT/,
    );
  });

  it('and hangs on another rule than before is a reason', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(ghost, riddle), 'nft ipv4': filter() });
    const other = '-A INPUT -p tcp -m riddle --answer 43 -j DROP';
    const [verdict] = await judge({ reading, ports: [22] }, [add('INPUT', other, 'filter', 'nft')]);
    expect(verdict?.reasons[0]).toMatch(
      /may pass now and could not be shown to pass any more: .*--answer 43/,
    );
  });

  it('and could before is a reason', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(ssh, riddle) });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ssh)]);
    expect(verdict?.reasons[0]).toMatch(
      /passes now and could not be shown to pass any more: rule 1 of INPUT.*riddle/,
    );
  });

  it.each<[string, Step]>([
    [
      'a command',
      { kind: 'command', title: 'flush', command: { tool: 'nft', args: ['flush'] }, firewall: true },
    ],
  ])('because nobody knows what %s does is a reason', async (_what, step) => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, ssh) });
    expect(await judge({ reading, ports: [22] }, [step])).toEqual([
      { reasons: ['flush: what it does to SSH and the API cannot be told'], notes: [] },
    ]);
    expect(await judge({ reading, ports: [] }, [step])).toEqual([passed]);
  });

  it('of a command that only opens is none', async () => {
    const open: CommandStep = {
      kind: 'command',
      title: 'open',
      command: { tool: 'firewall-cmd', args: [] },
      firewall: true,
      onlyOpens: true,
    };
    expect(await judge({ reading: readingWith({}), ports: [22] }, [open])).toEqual([passed]);
    // To take it back is to close.
    const [verdict] = await judge({ reading: readingWith({}), ports: [22] }, [{ ...open, undoes: true }]);
    expect(verdict?.reasons).toHaveLength(1);
  });

  it.each([
    [
      'the dump that is changed',
      readingWith({ 'legacy ipv4': { unreadable: 'torn' } }),
      /the rules cannot be read: torn/,
    ],
    [
      "this node's addresses",
      readingWith({ 'legacy ipv4': filter(ssh) }, { network: { ...network, links: undefined } }),
      /ip does not list the addresses/,
    ],
  ])('because %s cannot be read is a reason', async (_what, reading, expected) => {
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ssh)]);
    expect(verdict?.reasons[0]).toMatch(expected);
  });

  it('because a fact cannot be had is a reason', async () => {
    const context = await contextOf(
      { 'ssh-access': { ports: [22], configured: [22], sessions: [] } },
      defaultConfig(),
    );
    expect(await refuseLockOut(context, [[remove(ssh)]])).toEqual([
      { reasons: ['whether SSH and the API stay open cannot be told: nobody knows api-access'], notes: [] },
    ]);
  });

  it('because of another dump that cannot be read is a note', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(ghost), 'nft ipv4': { unreadable: 'torn' } });
    const [verdict] = await judge({ reading, ports: [22] }, [remove(ghost)]);
    expect(verdict).toEqual({
      reasons: [],
      notes: [expect.stringContaining('torn'), ...(verdict?.notes.slice(1) ?? [])],
    });
  });
});

describe('the API', () => {
  const api = '-A INPUT -p tcp -m tcp --dport 6443 -j ACCEPT';

  it.each([
    [
      'another node',
      '192.168.60.9',
      /a new connection from node there \(192\.168\.60\.9\) to the API at 192\.168\.60\.1 port 6443/,
    ],
    [
      'a pod',
      '10.42.0.0/24',
      /a new connection from a pod \(10\.42\.0\.128\) to the API at 192\.168\.60\.1 port 6443/,
    ],
    ['this node', '127.0.0.1', /this node's own connection to the API at 127\.0\.0\.1 port 6443/],
  ])('stays open for %s', async (_who, source, expected) => {
    const only = `-A INPUT -s ${source} -p tcp -m tcp --dport 6443 -j ACCEPT`;
    const reading = readingWith({ 'legacy ipv4': filter(...shut, only) });
    const [verdict] = await judge({ reading, servedAt: [6443] }, [remove(only)]);
    expect(verdict?.reasons).toEqual([expect.stringMatching(expected)]);
  });

  it('stays open for an operator', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(...shut, api) });
    const [verdict] = await judge({ reading, servedAt: [6443], adminNetworks: ['10.1.2.3'] }, [remove(api)]);
    expect(verdict?.reasons.join('\n')).toMatch(/a new connection from 10\.1\.2\.3 to the API/);
  });

  it('is what an agent still gets to', async () => {
    const reading = readingWith({ 'nft ipv4': filter() });
    const drop = '-A OUTPUT -d 192.168.60.9/32 -p tcp -m tcp --dport 6443 -j REJECT --reject-with tcp-reset';
    const step = add('OUTPUT', drop, 'filter', 'nft');
    const [verdict] = await judge({ reading, servers: [{ address: '192.168.60.9', port: 6443 }] }, [step]);
    expect(verdict?.reasons).toEqual([
      expect.stringMatching(
        /this node's new connection to the API at 192\.168\.60\.9 port 6443 passes now and would be rejected/,
      ),
    ]);
  });

  it('that is down keeps nobody from a fix', async () => {
    const reading = readingWith({ 'legacy ipv4': filter(ssh) });
    const given = {
      reading,
      ports: [22],
      servedAt: [6443],
      nodes: { kind: 'unavailable', reason: 'down' } as const,
    };
    expect(await judge(given, [remove(ssh)])).toEqual([passed]);
  });

  it("is what its Service's address leads to", async () => {
    const service =
      '-A KUBE-SERVICES -d 10.43.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y';
    const nat = [
      '*nat',
      ...[':PREROUTING ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', ':KUBE-SERVICES - [0:0]'],
      ...[':KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]', '-A PREROUTING -j KUBE-SERVICES', service],
      '-A KUBE-SVC-NPX46M4PTMTKRN6Y -p tcp -j DNAT --to-destination 192.168.60.1:6443',
      'COMMIT',
      '',
    ].join('\n');
    const both = readingWith({ 'legacy ipv4': nat, 'nft ipv4': nat });
    const step = remove(service, { chain: 'KUBE-SERVICES', table: 'nat' });
    expect(await judge({ reading: both, servedAt: [6443] }, [step])).toEqual([passed]);
    const alone = readingWith({ 'legacy ipv4': nat });
    const [verdict] = await judge({ reading: alone, servedAt: [6443] }, [step]);
    expect(verdict?.reasons[0]).toMatch(
      /a new connection from a pod \(10\.42\.0\.128\) to the API's Service at 10\.43\.0\.1 port 443 passes now and would/,
    );
  });
});

it("the API's Service leads an agent's pods to a server", async () => {
  const service =
    '-A PREROUTING -d 10.43.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j DNAT --to-destination 192.168.60.9:6443';
  const nat = ['*nat', ':PREROUTING ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', service, 'COMMIT', ''].join(
    '\n',
  );
  const given = {
    reading: readingWith({ 'nft ipv4': nat }),
    servers: [{ address: '192.168.60.9', port: 6443 }],
  };
  const [verdict] = await judge(given, [remove(service, { backend: 'nft', table: 'nat' })]);
  expect(verdict?.reasons).toEqual([
    expect.stringMatching(
      /the API's Service at 10\.43\.0\.1 port 443 passes now and would not be sent to any server any more: no rule translates/,
    ),
  ]);
});

describe('several plans', () => {
  it('are judged one on top of the other, without those that are refused', async () => {
    const drop = '-A INPUT -p tcp -m tcp --dport 22 -j DROP';
    const reading = readingWith({ 'legacy ipv4': filter(...shut, '-A INPUT -p udp -j ACCEPT', ssh) });
    const verdicts = await judgeAll({ reading, ports: [22] }, [
      [add('INPUT', drop, 'filter', 'legacy')],
      [remove('-A INPUT -p udp -j ACCEPT')],
      [remove(ssh)],
    ]);
    // Behind the rule that accepts a drop does no harm; without that rule it would.
    expect(verdicts.map(({ reasons }) => reasons.length > 0)).toEqual([false, false, true]);
    expect(verdicts[2]?.reasons[0]).toMatch(/rule \d of INPUT/);
  });
});

it('connections are not ended where they are sessions', async () => {
  const session = {
    family: 'ipv4',
    address: '192.168.60.1',
    port: 22,
    peer: '10.9.9.9',
    peerPort: 40_001,
  } as const;
  const end = (target: string): Step => ({
    kind: 'conntrack-delete',
    family: 'ipv4',
    flows: [{ protocol: 'tcp', address: undefined, port: 2222, target, targetPort: 22 }],
  });
  const given = { reading: readingWith({}), ports: [22], sessions: [session] };
  expect(await judge(given, [end('10.42.0.9')])).toEqual([passed]);
  expect((await judge(given, [end('192.168.60.1')]))[0]?.reasons[0]).toMatch(
    /it would end the open SSH session with 10\.9\.9\.9$/,
  );
});

const passed = { reasons: [], notes: [] };

interface Given {
  readonly reading: FirewallReading;
  readonly ports?: readonly number[];
  readonly sessions?: readonly SshSession[];
  readonly servedAt?: readonly number[];
  readonly servers?: readonly { readonly address: string; readonly port: number }[];
  readonly adminNetworks?: readonly string[];
  readonly nodes?: ClusterNodes;
}

function judge(given: Given, steps: readonly Step[]) {
  return judgeAll(given, [steps]);
}

async function judgeAll(given: Given, plans: readonly (readonly Step[])[]) {
  const { reading, ports = [], sessions = [], servedAt = [], servers = [], adminNetworks = [] } = given;
  const config = defaultConfig();
  const pods: PodNetwork = {
    kind: 'known',
    podCidrs: ['10.42.0.0/24'],
    clusterCidrs: ['10.42.0.0/16'],
    bridge: 'cni0',
    overlayLinks: [],
    mtu: undefined,
    source: 'made up',
  };
  const facts: Readonly<Record<string, unknown>> = {
    firewall: createFirewall(reading),
    'ssh-access': { ports, configured: [22], sessions },
    'api-access': { servedAt, servers },
    'cluster-nodes': given.nodes ?? twoNodes,
    'pod-network': pods,
  };
  return refuseLockOut(
    await contextOf(facts, { ...config, guards: { ...config.guards, adminNetworks } }),
    plans,
  );
}

async function contextOf(facts: Readonly<Record<string, unknown>>, config: Config): Promise<FactContext> {
  const host = await madeUpNode({});
  return { host, config, get, ifAsked: () => undefined };

  function get<T>(fact: Fact<T>): Promise<T>;
  async function get({ id }: Fact<unknown>): Promise<unknown> {
    if (!(id in facts)) throw new DoctorError('undetermined', `nobody knows ${id}`);
    return facts[id];
  }
}

const self = nodeAt('here', '192.168.60.1');
const twoNodes: ClusterNodes = {
  kind: 'known',
  nodes: [self, nodeAt('there', '192.168.60.9')],
  self,
  source: 'made up',
};

function nodeAt(name: string, address: string): NodeFacts {
  const none = undefined;
  return {
    name,
    ready: true,
    internalAddresses: [address],
    externalAddresses: [],
    podCidrs: [],
    labels: {},
    taints: [],
    unschedulable: false,
    version: none,
    controlPlane: true,
    etcd: false,
    flannel: {
      backend: none,
      publicIp: none,
      publicIpv6: none,
      publicIpOverwrite: none,
      vtepMac: none,
      vtepMacV6: none,
    },
  };
}

interface Where {
  readonly backend?: Backend;
  readonly family?: 'ipv4' | 'ipv6';
  readonly table?: string;
  readonly chain?: string;
}

function remove(
  line: string,
  { backend = 'legacy', family = 'ipv4', table = 'filter', chain }: Where = {},
): IptablesBatchStep {
  const home = chain ?? line.split(' ')[1] ?? '';
  const removal = { table, chains: [], rules: [{ chain: home, line }] };
  return {
    kind: 'iptables-batch',
    backend,
    family,
    ownersWrite: false,
    change: { kind: 'remove', removal, digest: '' },
  };
}

/** At the chain's end. */
function add(chain: string, line: string, table = 'filter', backend: Backend = 'legacy'): IptablesBatchStep {
  const addition = { table, chains: [], inserts: [{ chain, lines: [line], wanted: [0] }] };
  return {
    kind: 'iptables-batch',
    backend,
    family: 'ipv4',
    ownersWrite: false,
    change: { kind: 'add', addition },
  };
}
