/** The whole firewall of a node: read without a trace, and the same from a recording. */
import { describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { kubeProxyRules } from '../ghosts/kube-proxy-rules.ts';
import { startNode } from '../node/start-node.ts';
import { factsOf } from './facts-of.ts';

const native = `table inet filter {
  set friends { type ipv4_addr; elements = { 192.168.60.2 }; }
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr @friends accept
    tcp dport 9000 drop
  }
}
`;

function toPort(destinationPort: number, source = '192.168.60.9'): Packet {
  return {
    family: 'ipv4',
    origin: { kind: 'link', name: 'eth0' },
    source,
    destination: '192.168.60.1',
    transport: { protocol: 'tcp', sourcePort: 40_000, destinationPort },
    state: 'NEW',
  };
}

const packets = [
  toPort(22),
  toPort(9000),
  toPort(9000, '192.168.60.2'),
  toPort(23),
  toPort(24),
  toPort(24, '192.168.60.7'),
  toPort(24, '192.168.60.10'),
  { ...toPort(80), destination: '10.43.0.80' },
];

describe('the firewall of a node', () => {
  it('is walked in the same way where it is and from a recording, and reading it changes nothing', async () => {
    await using node = await startNode();
    await node.restore(
      'nft',
      'ipv4',
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n',
    );
    await node.run(['iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '23', '-j', 'REJECT']);
    await node.run(['ipset', 'create', 'bad', 'hash:net']);
    await node.run(['ipset', 'add', 'bad', '192.168.60.8/29']);
    await node.run(['ipset', 'add', 'bad', '192.168.60.9', 'nomatch']);
    await node.run([
      'iptables-legacy',
      '-A',
      'INPUT',
      '-p',
      'tcp',
      '--dport',
      '24',
      '-m',
      'set',
      '--match-set',
      'bad',
      'src',
      '-j',
      'DROP',
    ]);
    await node.run(['nft', '-f', '-'], { input: native });
    const before = await node.snapshot();

    const { live, replayed } = await factsOf(node, packets);

    expectUnchanged(before, await node.snapshot());
    expect(live.walks.map(({ verdict }) => verdict)).toEqual([
      'pass',
      'drop',
      'pass',
      'reject',
      'pass',
      'pass',
      'drop',
      'pass',
    ]);
    expect(live.sets).toMatchObject({ kind: 'present', sets: { bad: { type: 'hash:net' } } });
    expect(replayed).toEqual(live);
  });

  it('is known where kube-proxy has thousands of Services, without reading its tables twice', async () => {
    await using node = await startNode();
    const services = Array.from({ length: 2_000 }, (_, index) => ({
      name: `default/web-${index}:http`,
      address: `10.43.${index >> 8}.${index & 255}`,
      port: 80,
      endpoints: ['10.42.0.9:8080', '10.42.0.10:8080'],
    }));
    await node.restore('nft', 'ipv4', kubeProxyRules(services, 'KUBE-IPTABLES-HINT'));
    await node.run(['nft', '-f', '-'], { input: native });

    const { live, replayed } = await factsOf(node, packets);

    const objects = live.nft.kind === 'present' ? live.nft.objects : [];
    expect(objects.length).toBeGreaterThan(30);
    expect(objects.length).toBeLessThan(100);
    expect(live.walks.slice(0, 3).map(({ verdict }) => verdict)).toEqual(['pass', 'drop', 'pass']);
    const service = live.walks.at(-1);
    expect(service?.verdict).toBe('pass');
    expect(service?.ends.map(({ packet }) => packet.destination).sort()).toEqual(['10.42.0.10', '10.42.0.9']);
    expect(replayed).toEqual(live);
  });

  it('is known where nft has put a rule into a table of iptables that iptables-nft-save prints without its set', async () => {
    await using node = await startNode();
    await node.run(['iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT']);
    const friends = '{ 192.168.60.2, 192.168.60.3 }';
    await node.run(['nft', 'add', 'rule', 'ip', 'filter', 'INPUT', 'ip', 'saddr', friends, 'accept']);
    await node.run(['iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '9000', '-j', 'DROP']);
    expect(await node.dump('nft', 'ipv4')).toContain('-A INPUT -j ACCEPT\n');

    const { live, replayed } = await factsOf(node, packets.slice(0, 3));

    expect(live.walks.map(({ verdict }) => verdict)).toEqual(['pass', 'drop', 'pass']);
    expect(live.walks[2]?.ends[0]?.decidedBy).toMatchObject({
      kind: 'rule',
      rule: { backend: 'nft', chain: 'INPUT', number: 2, text: expect.stringContaining('192.168.60.3') },
    });
    expect(replayed).toEqual(live);
  });

  it('is known from nft alone where iptables-nft-save fails over such a rule', async () => {
    await using node = await startNode();
    await node.run(['iptables-nft', '-A', 'INPUT', '-p', 'tcp', '--dport', '9000', '-j', 'DROP']);
    await node.run(['nft', 'add', 'rule', 'ip', 'filter', 'INPUT', 'ip', 'length', '20', 'drop']);
    expect((await node.exec(['iptables-nft-save'])).exitCode).toBe(3);

    const { live, replayed } = await factsOf(node, packets.slice(0, 2));

    expect(live.walks.map(({ verdict }) => verdict)).toEqual(['unknown', 'drop']);
    expect(replayed).toEqual(live);
  });

  it('of which nothing was ever made is one that lets all pass', async () => {
    await using node = await startNode();
    const before = await node.snapshot();
    const { live, replayed } = await factsOf(node, packets.slice(0, 2));
    expect(live.walks.map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
    expect(replayed).toEqual(live);
    expectUnchanged(before, await node.snapshot());
    expect(before.legacyTables).toEqual([]);
  });
});
