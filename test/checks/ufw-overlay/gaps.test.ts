import { describe, expect, test } from 'vitest';
import { cluster, network, node } from '../../facts/made-up-cluster.ts';
import { ufwDump } from '../firewall-texts.ts';
import { activeUfw, diagnose, n1, n2, stepsOf, subjects } from './diagnose.ts';

const denied = { dumps: { 'nft ipv4': ufwDump() }, ufw: activeUfw() } as const;

test('a node without rules lets everybody in', async () => {
  expect(await diagnose()).toMatchObject({ outcome: 'ok', findings: [], reasons: [] });
});

test('UFW that denies: a finding for each flow, and who decides', async () => {
  const diagnosis = await diagnose(denied);
  expect(diagnosis.outcome).toBe('findings');
  expect(diagnosis.findings).toMatchObject([
    {
      code: 'peer-blocked',
      subject: '10.0.0.2 8472/udp',
      severity: 'error',
      effect: 'rejects',
      message:
        "n2 (10.0.0.2) → 8472/udp (VXLAN) is dropped by UFW's default, the policy of INPUT, iptables-nft filter",
      traffic: { protocol: 'udp', address: '10.0.0.1', port: 8472 },
      remedy: { kind: 'planned' },
    },
    { subject: '10.0.0.2 10250/tcp', severity: 'warning', remedy: { kind: 'planned' } },
  ]);
  expect(diagnosis.findings[0]?.evidence).toContainEqual({
    source: 'an established one',
    observed: 'passes: while this host sends first, and often enough, all looks well',
  });
});

test('UFW that rejects', async () => {
  const { findings } = await diagnose({ ...denied, dumps: { 'nft ipv4': ufwDump({ incoming: 'reject' }) } });
  expect(findings[0]?.message).toBe(
    "n2 (10.0.0.2) → 8472/udp (VXLAN) is rejected by UFW's default, rule 1 of ufw-reject-input, iptables-nft filter",
  );
  expect(findings[0]?.remedy.kind).toBe('planned');
});

test('a rule for each host and flow, for one address and nobody else', async () => {
  const [first, second, ...more] = stepsOf(await diagnose(denied));
  expect(first).toEqual({
    kind: 'ufw-rule',
    change: 'add',
    rule: {
      route: false,
      action: 'allow',
      direction: 'in',
      protocol: 'udp',
      source: '10.0.0.2',
      destination: 'any',
      port: '8472',
      comment: 'k3s-doctor: peer, VXLAN',
    },
  });
  expect(second).toMatchObject({ rule: { protocol: 'tcp', source: '10.0.0.2', port: '10250' } });
  expect(more).toEqual([]);
});

test('only what may be repaired is planned', async () => {
  const diagnosis = await diagnose(denied);
  const plan = diagnosis.plan(({ subject }) => subject === '10.0.0.2 10250/tcp');
  expect(plan.steps).toMatchObject([{ rule: { port: '10250' } }]);
  expect(plan.repairs).toEqual([diagnosis.findings[1]]);
});

test('what UFW lets in is left alone, and so is the whole node once all is let in', async () => {
  const vxlan = '-s 10.0.0.2/32 -p udp -m udp --dport 8472 -j ACCEPT';
  const some = await diagnose({ ...denied, dumps: { 'nft ipv4': ufwDump({ rules: [vxlan] }) } });
  expect(subjects(some)).toEqual(['10.0.0.2 10250/tcp']);
  const rules = [vxlan, '-s 10.0.0.2/32 -p tcp -m tcp --dport 10250 -j ACCEPT'];
  expect(await diagnose({ ...denied, dumps: { 'nft ipv4': ufwDump({ rules }) } })).toMatchObject({
    outcome: 'ok',
  });
});

test('of very many the worst go first, and the rest is left to the next run', async () => {
  const peers = Array.from({ length: 40 }, (_, i) =>
    node({ name: `p${i}`, internalAddresses: [`10.0.0.${i + 100}`] }),
  );
  const diagnosis = await diagnose({ ...denied, nodes: cluster(n1, ...peers) });
  expect(diagnosis.findings).toHaveLength(80);
  const plan = diagnosis.plan(() => true);
  expect(plan.steps).toHaveLength(60);
  expect(plan.repairs.filter(({ severity }) => severity === 'error')).toHaveLength(40);
  expect(diagnosis.findings.at(-1)?.remedy).toEqual({
    kind: 'held',
    reason: 'one run makes 60 changes of this kind at most: the next one goes on',
  });
});

test('a rule for one of the two ports of etcd is not enough', async () => {
  const server = (name: string, address: string) =>
    node({ name, internalAddresses: [address], controlPlane: true, etcd: true });
  const rules = ['2379', '6443', '8472', '10250'].map(
    (port) => `-p ${port === '8472' ? 'udp' : 'tcp'} --dport ${port} -j ACCEPT`,
  );
  const diagnosis = await diagnose({
    ...denied,
    nodes: cluster(server('n1', '10.0.0.1'), server('n2', '10.0.0.2')),
    dumps: { 'nft ipv4': ufwDump({ rules }) },
  });
  expect(subjects(diagnosis)).toEqual(['10.0.0.2 2379-2380/tcp']);
  expect(stepsOf(diagnosis)).toMatchObject([{ rule: { protocol: 'tcp', port: '2379:2380' } }]);
});

test('the profiles: IP protocols have no port', async () => {
  const settings = { profiles: ['ipsec', 'ipsec-ah'] as const };
  const diagnosis = await diagnose({ ...denied, settings });
  const esp = diagnosis.findings.find(({ subject }) => subject === '10.0.0.2 ESP');
  expect(esp).toMatchObject({
    message:
      "n2 (10.0.0.2) → ESP (IPsec) is dropped by UFW's default, the policy of INPUT, iptables-nft filter",
    severity: 'error',
  });
  expect(esp?.traffic).toBeUndefined();
  expect(stepsOf(diagnosis)).toContainEqual(
    expect.objectContaining({
      rule: expect.objectContaining({ protocol: 'esp', port: undefined, source: '10.0.0.2' }),
    }),
  );
});

test('IPv6, where UFW does it', async () => {
  const flannel = { publicIp: undefined, publicIpv6: 'fd00::1' };
  const nodes = cluster(
    node({ name: 'n1', internalAddresses: ['fd00::1'], flannel }),
    node({ name: 'n2', internalAddresses: ['fd00::2'], flannel: { ...flannel, publicIpv6: 'fd00::2' } }),
  );
  const given = { nodes, network: network('fd00::1/64'), dumps: { 'nft ipv6': ufwDump({ family: 'ipv6' }) } };
  const diagnosis = await diagnose({ ...given, ufw: activeUfw() });
  expect(subjects(diagnosis)).toEqual(['fd00::2 8472/udp', 'fd00::2 10250/tcp']);
  expect(diagnosis.findings[0]?.message).toContain('the policy of INPUT, ip6tables-nft filter');
  expect(stepsOf(diagnosis)).toMatchObject([{ rule: { source: 'fd00::2', port: '8472' } }, {}]);
});

describe('where nothing can be said', () => {
  test('of a node without k3s nothing is asked', async () => {
    const diagnosis = await diagnose({
      nodes: { kind: 'unavailable', reason: 'no kubeconfig' },
      podNetwork: { kind: 'absent', reason: 'neither k3s nor a pod network is here' },
    });
    expect(diagnosis).toMatchObject({
      outcome: 'skipped',
      reasons: ['neither k3s nor a pod network is here'],
    });
  });

  test('without the API it is unknown, and hosts of the configuration are judged all the same', async () => {
    const nodes = { kind: 'unavailable', reason: 'connection refused' } as const;
    const line = 'the nodes of the cluster are not known: connection refused';
    expect(await diagnose({ ...denied, nodes })).toMatchObject({ outcome: 'unknown', reasons: [line] });

    const settings = { peers: ['10.0.0.77'], profiles: ['ipsec'] as const };
    const judged = await diagnose({ ...denied, nodes, settings });
    expect(judged).toMatchObject({ outcome: 'findings', reasons: [line] });
    expect(subjects(judged)).toEqual(['10.0.0.77 ESP', '10.0.0.77 500/udp', '10.0.0.77 4500/udp']);
    expect(judged.findings[0]?.message).toMatch(/^10\.0\.0\.77 → ESP/);
  });

  test('of a cluster of one there is nothing to say', async () => {
    expect(await diagnose({ ...denied, nodes: cluster(n1) })).toMatchObject({
      outcome: 'skipped',
      reasons: ['there is no other node: nobody needs anything of this one'],
    });
  });

  test('one node that cannot be judged does not hide another', async () => {
    const nodes = cluster(n1, node({ name: 'n9' }), n2);
    const diagnosis = await diagnose({ ...denied, nodes });
    expect(diagnosis.reasons).toEqual(['node n9 has no address: what it needs was not judged']);
    expect(subjects(diagnosis)).toEqual(['10.0.0.2 8472/udp', '10.0.0.2 10250/tcp']);
  });

  test('a rule that is not understood and decides makes it unknown, with the rule', async () => {
    const before = ['-p udp -m u32 --u32 "0x0&0xff=0x1" -j ACCEPT'];
    const diagnosis = await diagnose({ ...denied, dumps: { 'nft ipv4': ufwDump({ before }) } });
    expect(diagnosis.reasons).toHaveLength(1);
    expect(diagnosis.reasons[0]).toMatch(
      /^whether these pass cannot be told: n2 \(10\.0\.0\.2\) to 8472\/udp: .*rule 1 of INPUT, iptables-nft filter/,
    );
    expect(subjects(diagnosis)).toEqual(['10.0.0.2 10250/tcp']);
  });
});
