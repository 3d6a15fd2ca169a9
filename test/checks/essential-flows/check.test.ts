import { expect, test } from 'vitest';
import { essentialFlows } from '../../../src/checks/essential-flows/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import { givenFacts } from '../../facts/given-facts.ts';
import { network } from '../../facts/made-up-cluster.ts';
import { ufwDump } from '../firewall-texts.ts';
import { parseReading, type ReadingTexts } from '../parse-reading.ts';

interface Given extends Partial<ReadingTexts> {
  readonly adminNetworks?: readonly string[];
  readonly sessions?: readonly string[];
  readonly ports?: readonly number[];
  readonly pods?: object;
  readonly ufw?: object;
}

/** A server at 10.0.0.1 with pods in 10.42.0.0/24, cluster DNS at 10.43.0.10, kubelet and SSH. */
async function diagnose({ adminNetworks = [], sessions = [], ports = [22], ...given }: Given = {}) {
  const links = given.network ?? network('10.0.0.1/24');
  const config = defaultConfig();
  const context = await givenFacts(
    {
      firewall: createFirewall(parseReading({ ...given, network: links })),
      'pod-network': given.pods ?? {
        kind: 'known',
        podCidrs: ['10.42.0.0/24'],
        clusterCidrs: ['10.42.0.0/16'],
        bridge: 'cni0',
        overlayLinks: ['flannel.1'],
        mtu: 1450,
        source: 'subnet.env',
      },
      'nat-claims': [
        {
          backend: 'nft',
          family: 'ipv4',
          claims: [
            { servicePort: 'kube-system/kube-dns:dns', address: '10.43.0.10', port: 53, protocol: 'udp' },
          ],
        },
      ],
      listening: {
        kind: 'known',
        sockets: [{ protocol: 'tcp', family: 'ipv6', address: '::', port: 10_250 }],
      },
      'ssh-access': {
        ports,
        configured: [22],
        sessions: sessions.map((peer) => ({
          family: 'ipv4',
          address: '10.0.0.1',
          port: 22,
          peer,
          peerPort: 40_000,
        })),
      },
      'api-access': { servedAt: [6443], servers: [] },
      ufw: given.ufw ?? { kind: 'absent' },
    },
    { ...config, guards: { ...config.guards, adminNetworks } },
  );
  return essentialFlows.run(context);
}

const rules = (...lines: readonly string[]) => ({
  'nft ipv4': [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...lines,
    'COMMIT',
    '',
  ].join('\n'),
});

test('without rules everything is open', async () => {
  const { outcome, notes, reasons } = await diagnose();
  expect({ outcome, reasons }).toEqual({ outcome: 'ok', reasons: [] });
  expect(notes.map((note) => note.split(':')[0])).toEqual([
    'this node to the API',
    'pods to the API',
    'pods to cluster DNS',
    'pods to kubelet',
    'anybody to SSH',
  ]);
});

test('UFW’s default stops pods on their way to the API, to DNS and to kubelet; the policy is named', async () => {
  const { findings } = await diagnose({
    dumps: { 'nft ipv4': ufwDump({ rules: ['-p tcp -m tcp --dport 22 -j ACCEPT'] }) },
  });
  expect(findings).toMatchObject([
    {
      code: 'flow-blocked',
      subject: 'pods to the API IPv4 the policy of INPUT, iptables-nft filter',
      severity: 'error',
      message: expect.stringContaining('dropped by the policy of INPUT, iptables-nft filter'),
      remedy: { kind: 'none', reason: expect.stringContaining('doctor trace -v --from 10.42.0.') },
    },
    { subject: 'pods to cluster DNS IPv4 the policy of FORWARD, iptables-nft filter' },
    { subject: 'pods to kubelet IPv4 the policy of INPUT, iptables-nft filter' },
  ]);
});

test('a rule ahead of cluster DNS, with its text and where it stands', async () => {
  const { findings } = await diagnose({
    dumps: rules('-A FORWARD -p udp -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable'),
  });
  expect(findings).toMatchObject([
    {
      subject: 'pods to cluster DNS IPv4 FORWARD, iptables-nft filter',
      message: expect.stringContaining('rejected by rule 1 of FORWARD, iptables-nft filter'),
    },
  ]);
  expect(findings[0]?.evidence).toContainEqual({
    source: 'rule 1 of FORWARD, iptables-nft filter',
    observed: '-A FORWARD -p udp -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable',
  });
});

test('this node’s own way to the API', async () => {
  const { findings } = await diagnose({ dumps: rules('-A OUTPUT -p tcp -m tcp --dport 6443 -j DROP') });
  expect(findings.map(({ subject }) => subject)).toContain(
    'this node to the API IPv4 OUTPUT, iptables-nft filter',
  );
});

const onlyFrom = (source: string) => [
  `-A INPUT -s ${source} -p tcp -m tcp --dport 22 -j ACCEPT`,
  '-A INPUT -p tcp -m tcp --dport 22 -j DROP',
];

test('SSH: one way in is enough, unless it was said which', async () => {
  const admins = rules(...onlyFrom('10.0.0.0/24'));
  expect(await diagnose({ dumps: admins })).toMatchObject({ outcome: 'ok' });
  expect(await diagnose({ dumps: admins, adminNetworks: ['10.0.0.7'] })).toMatchObject({ outcome: 'ok' });
  const { findings } = await diagnose({ dumps: admins, adminNetworks: ['192.0.2.0/24'] });
  expect(findings).toMatchObject([
    { subject: 'operators to SSH IPv4 INPUT, iptables-nft filter', code: 'flow-blocked' },
  ]);
  expect((await diagnose({ dumps: admins, sessions: ['192.0.2.9'] })).findings).toHaveLength(1);
  expect((await diagnose({ dumps: rules(onlyFrom('10.0.0.0/24')[1] ?? '') })).findings).toMatchObject([
    { subject: 'anybody to SSH IPv4 INPUT, iptables-nft filter' },
  ]);
});

test('a rule that cannot be evaluated makes it unknown, and is named', async () => {
  const odd = '-A FORWARD -m string --string "x" --algo bm --to 65535 -j DROP';
  const { outcome, reasons } = await diagnose({ dumps: rules(odd) });
  expect(outcome).toBe('unknown');
  expect(reasons[0]).toMatch(/^whether a question from a pod .* gets through: .*rule 1 of FORWARD/);
});

test('nothing to look at', async () => {
  const links = { ...network('10.0.0.1/24'), links: undefined };
  expect(await diagnose({ network: links })).toMatchObject({ outcome: 'unknown' });
});

test('UFW’s default is called so, with what to type; kubelet is a warning', async () => {
  const ufw = { kind: 'active', defaults: {}, ipv6: true, rules: [] };
  const { findings } = await diagnose({ dumps: { 'nft ipv4': ufwDump() }, ufw, ports: [] });
  const [api] = findings;
  expect(api?.message).toContain("dropped by UFW's default, the policy of INPUT, iptables-nft filter");
  expect(api?.remedy).toMatchObject({
    reason: expect.stringMatching(/^ufw allow from 10\.42\.0\.\d+ to any port 6443 proto tcp/),
  });
  expect(findings.at(-1)).toMatchObject({
    severity: 'warning',
    subject: expect.stringMatching(/^pods to kubelet/),
  });
});

test('what could not be walked is said', async () => {
  const { limits } = await diagnose();
  expect(limits).toEqual([]);
  const without = await diagnose({ ports: [] });
  expect(without.limits).toEqual([
    "anybody to SSH: not walked, as nothing here listens there now or no rule of kube-proxy's says where it is",
  ]);
});
