import { describe, expect, test } from 'vitest';
import { worldOpen } from '../../../src/checks/world-open/check.ts';
import type { ListeningSocket } from '../../../src/facts/listening-socket.ts';
import type { Ufw } from '../../../src/facts/ufw.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import { givenFacts } from '../../facts/given-facts.ts';
import { cluster, network, node } from '../../facts/made-up-cluster.ts';
import { firewalldObjects, inputDump, ufwDump } from '../firewall-texts.ts';
import { parseReading, type ReadingTexts } from '../parse-reading.ts';
import { activeUfw, reasonsNot, subjects } from '../ufw-overlay/diagnose.ts';

const open = {
  vxlan: { protocol: 'udp', family: 'ipv4', address: '0.0.0.0', port: 8472 },
  kubelet: { protocol: 'tcp', family: 'ipv6', address: '::', port: 10_250 },
  etcd: { protocol: 'tcp', family: 'ipv4', address: '198.51.100.1', port: 2379 },
  wireguard: { protocol: 'udp', family: 'ipv4', address: '0.0.0.0', port: 51_820 },
  api: { protocol: 'tcp', family: 'ipv6', address: '::', port: 6443 },
} as const satisfies Record<string, ListeningSocket>;

interface Given extends Partial<ReadingTexts> {
  readonly sockets?: readonly ListeningSocket[];
  readonly ufw?: Ufw;
  readonly firewalld?: boolean;
}

/** What the check says of a server at 198.51.100.1 whose peers are at .2 and .3. */
async function diagnose(given: Given = {}) {
  const { sockets = [open.vxlan], ufw = { kind: 'absent' }, firewalld = false } = given;
  const links = given.network ?? network('198.51.100.1/24');
  const server = (name: string, address: string) =>
    node({ name, internalAddresses: [address], controlPlane: true, etcd: true });
  const context = await givenFacts({
    'cluster-nodes': cluster(
      server('n1', '198.51.100.1'),
      server('n2', '198.51.100.2'),
      server('n3', '198.51.100.3'),
    ),
    network: links,
    firewall: createFirewall(parseReading({ ...given, network: links })),
    'embedded-registry': false,
    'api-access': { servedAt: [], servers: [] },
    listening: { kind: 'known', sockets },
    ufw,
    firewalld,
  });
  return worldOpen.run(context);
}

test('VXLAN on a node without rules is open to the world, and nothing is planned', async () => {
  const diagnosis = await diagnose();
  expect(diagnosis).toMatchObject({
    outcome: 'findings',
    findings: [
      {
        code: 'port-open-to-world',
        subject: '8472/udp ipv4 eth0',
        severity: 'error',
        effect: 'exposes',
        message:
          '8472/udp (VXLAN) is open to the whole world at 198.51.100.1 (eth0): no rule stands in the way',
        traffic: { protocol: 'udp', address: '198.51.100.1', port: 8472 },
        remedy: { kind: 'none' },
      },
    ],
  });
  expect(diagnosis.limits).toHaveLength(1);
  expect(diagnosis.plan(() => true)).toEqual({ steps: [], repairs: [] });
});

test('what each port is worth', async () => {
  const { findings } = await diagnose({ sockets: Object.values(open) });
  expect(findings.map(({ subject, severity }) => `${subject} ${severity}`)).toEqual([
    '8472/udp ipv4 eth0 error',
    '2379/tcp ipv4 eth0 error',
    '10250/tcp ipv4 eth0 warning',
    '51820/udp ipv4 eth0 info',
  ]);
});

test('behind private addresses it is one less, and that is said', async () => {
  const diagnosis = await diagnose({
    sockets: [open.vxlan, open.kubelet, open.wireguard],
    network: network('192.168.60.11/24'),
  });
  expect(diagnosis.findings.map(({ severity }) => severity)).toEqual(['warning', 'info', 'info']);
  expect(diagnosis.findings[0]?.message).toBe(
    '8472/udp (VXLAN) is open to everybody in the networks before it at 192.168.60.11 (eth0): no rule stands in the way',
  );
  expect(diagnosis.findings[0]?.evidence).toContainEqual({
    source: 'addresses',
    observed: 'eth0 has private addresses alone: strangers get here only if a NAT before the node lets them',
  });
});

test('both families are looked at', async () => {
  const links = network('198.51.100.1/24', '2001:db8:5::1/64');
  expect(subjects(await diagnose({ sockets: [open.kubelet], network: links }))).toEqual([
    '10250/tcp ipv4 eth0',
    '10250/tcp ipv6 eth0',
  ]);
  const dumps = { 'nft ipv4': ufwDump() };
  expect(subjects(await diagnose({ sockets: [open.kubelet], network: links, dumps }))).toEqual([
    '10250/tcp ipv6 eth0',
  ]);
});

describe('is closed', () => {
  test.each<[string, Given]>([
    ['by a firewall that denies', { dumps: { 'nft ipv4': ufwDump() } }],
    [
      'to all but some',
      { dumps: { 'nft ipv4': ufwDump({ rules: ['-s 198.51.100.2/32 -p udp --dport 8472 -j ACCEPT'] }) } },
    ],
    [
      'to all but a network that one of the strangers is in',
      { dumps: { 'nft ipv4': ufwDump({ rules: ['-s 203.0.113.0/24 -p udp --dport 8472 -j ACCEPT'] }) } },
    ],
    ['on loopback', { sockets: [{ ...open.vxlan, address: '127.0.0.1' }, open.kubelet] }],
    ['at an address of another link', { sockets: [{ ...open.etcd, address: '10.0.0.1' }] }],
  ])('%s', async (_how, given) => {
    const { findings } = await diagnose(given);
    expect(findings.filter(({ subject }) => !subject.startsWith('10250'))).toEqual([]);
  });

  test('by a list of bogus addresses alone it is open', async () => {
    const dumps = { 'nft ipv4': inputDump('ACCEPT', ['-s 203.0.113.0/24 -j DROP', '-s 10.0.0.0/8 -j DROP']) };
    expect(subjects(await diagnose({ dumps }))).toEqual(['8472/udp ipv4 eth0']);
  });

  test('up to a limit it is open, now and then', async () => {
    const rules = ['-p udp -m udp --dport 8472 -m limit --limit 3/min -j ACCEPT'];
    const { findings } = await diagnose({ dumps: { 'nft ipv4': ufwDump({ rules }) } });
    expect(findings[0]?.message).toContain('198.51.100.1 (eth0), now and then: rule 1 of ufw-user-input');
  });

  test('sent on to a pod it is not this port', async () => {
    const dumps = {
      'nft ipv4':
        '*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p udp -m udp --dport 8472 -j DNAT --to-destination 198.51.100.1:9999\nCOMMIT\n',
    };
    expect(await diagnose({ dumps })).toMatchObject({ outcome: 'ok' });
  });
});

describe('where there is nothing to look at', () => {
  test('no port of a cluster is open', async () => {
    expect(await diagnose({ sockets: [open.api] })).toMatchObject({ outcome: 'skipped' });
  });

  test('nothing is open but on loopback', async () => {
    expect(await diagnose({ sockets: [{ ...open.vxlan, address: '127.0.0.1' }] })).toMatchObject({
      outcome: 'skipped',
    });
  });

  test('there is no default route', async () => {
    const links = network('198.51.100.1/24');
    const routes = links.routes?.filter(({ destination }) => !destination.endsWith('/0'));
    expect(await diagnose({ network: { ...links, routes } })).toMatchObject({
      outcome: 'skipped',
      reasons: ['this node has no default route: no stranger gets here'],
    });
  });

  test('what cannot be read is unknown', async () => {
    const links = { ...network('198.51.100.1/24'), links: undefined };
    expect(await diagnose({ network: links })).toMatchObject({ outcome: 'unknown' });
  });

  test('a rule that is not understood and decides is unknown', async () => {
    const rules = ['-p udp -m u32 --u32 "0x0&0xff=0x1" -j DROP'];
    const { outcome, reasons } = await diagnose({ dumps: { 'nft ipv4': inputDump('ACCEPT', rules) } });
    expect(outcome).toBe('unknown');
    expect(reasons[0]).toMatch(/^whether strangers get to 8472\/udp over eth0 cannot be told: /);
  });
});

describe('the commands: who needs it first, then everybody else', () => {
  test('of UFW, whose rule it is', async () => {
    const dumps = { 'nft ipv4': ufwDump({ rules: ['-p udp -m udp --dport 8472 -j ACCEPT'] }) };
    const ufw = activeUfw([{ source: '0.0.0.0/0' }, { source: '::/0', destination: '::/0', family: 'ipv6' }]);
    expect(reasonsNot(await diagnose({ dumps, ufw }))).toEqual([
      'who needs 8472/udp is for you to say: ufw prepend allow from 198.51.100.2 to any port 8472 proto udp; ufw prepend allow from 198.51.100.3 to any port 8472 proto udp; ufw delete allow 8472/udp',
    ]);
  });

  test('of UFW, whose default lets everybody in', async () => {
    const dumps = { 'nft ipv4': ufwDump({ incoming: 'allow' }) };
    expect(reasonsNot(await diagnose({ dumps, ufw: activeUfw() }))[0]).toMatch(/; ufw deny 8472\/udp$/);
  });

  test('of a family that nobody in the cluster uses: there is nobody to let in', async () => {
    const links = network('198.51.100.1/24', '2001:db8:5::1/64');
    const dumps = { 'nft ipv4': ufwDump() };
    expect(reasonsNot(await diagnose({ sockets: [open.kubelet], network: links, dumps }))).toEqual([
      'who needs 10250/tcp is for you to say: ip6tables-nft -I INPUT 1 -i eth0 -p tcp --dport 10250 -j DROP; and keep them over a reboot (netfilter-persistent save)',
    ]);
  });

  test('of firewalld', async () => {
    const allow = [
      { match: { op: '==', left: { payload: { protocol: 'udp', field: 'dport' } }, right: 8472 } },
    ];
    const diagnosis = await diagnose({ nft: firewalldObjects({ allow }), firewalld: true });
    expect(reasonsNot(diagnosis)[0]).toMatch(
      /add-rich-rule='rule family="ipv4" source address="198\.51\.100\.2" port port="8472" protocol="udp" accept'.*; firewall-cmd --permanent --zone=public --remove-port=8472\/udp; firewall-cmd --reload$/,
    );
  });

  test('of iptables where there is nothing', async () => {
    expect(reasonsNot(await diagnose())).toEqual([
      'who needs 8472/udp is for you to say: iptables-nft -I INPUT 1 -s 198.51.100.2 -p udp --dport 8472 -j ACCEPT; iptables-nft -I INPUT 2 -s 198.51.100.3 -p udp --dport 8472 -j ACCEPT; iptables-nft -I INPUT 3 -i eth0 -p udp --dport 8472 -j DROP; and keep them over a reboot (netfilter-persistent save)',
    ]);
  });
});
