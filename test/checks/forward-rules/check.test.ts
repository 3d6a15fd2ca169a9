/** What stops pods' traffic, whose doing it is, and what would open the way; on recorded rules and on written ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { describeStep } from '../../../src/engine/steps/steps.ts';
import type { Ufw } from '../../../src/facts/ufw.ts';
import { activeUfw, diagnose, type Given, network, pods } from './diagnose.ts';

const recorded = (name: string) =>
  readFileSync(
    new URL(`../../../fixtures/k3s-ufw-reject-with-legacy-ghosts/${name}`, import.meta.url),
    'latin1',
  );
const recordedDumps = {
  'nft ipv4': recorded('iptables-nft-save.txt'),
  'nft ipv6': recorded('ip6tables-nft-save.txt'),
  'legacy ipv4': recorded('iptables-legacy-save.txt'),
  'legacy ipv6': recorded('ip6tables-legacy-save.txt'),
} as const;
const dualStack = {
  ...pods,
  podCidrs: ['10.42.0.0/24', 'fd00:42::/64'],
  clusterCidrs: ['10.42.0.0/16', 'fd00:42::/56'],
  overlayLinks: ['flannel.1', 'flannel-v6.1'],
} as const;
const nftOnly = { ipv4: 'nft', ipv6: 'nft' } as const;

/** A filter table with these rules in FORWARD, after `-A FORWARD `, and chains. */
function filter(
  rules: readonly string[],
  policy = 'ACCEPT',
  chains: Readonly<Record<string, readonly string[]>> = {},
): string {
  return [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    `:FORWARD ${policy} [7:420]`,
    ':OUTPUT ACCEPT [0:0]',
    ...Object.keys(chains).map((chain) => `:${chain} - [0:0]`),
    ...rules.map((rule) => `[1:60] -A FORWARD ${rule}`),
    ...Object.entries(chains).flatMap(([chain, lines]) => lines.map((line) => `[0:0] -A ${chain} ${line}`)),
    'COMMIT',
    '',
  ].join('\n');
}

const ufwChains = {
  'ufw-before-forward': [
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-p icmp -m icmp --icmp-type 8 -j ACCEPT',
    '-j ufw-user-forward',
  ],
  'ufw-reject-forward': ['-j REJECT --reject-with icmp-port-unreachable'],
  'ufw-user-forward': [] as readonly string[],
};
const ufwRules = ['-j ufw-before-forward', '-j ufw-reject-forward'];

const commands = (diagnosis: Diagnosis, mayRepair = true) =>
  diagnosis.plan(() => mayRepair).steps.map((step) => describeStep(step).command);
const inputs = (diagnosis: Diagnosis) =>
  diagnosis.plan(() => true).steps.map((step) => describeStep(step).input);

const [from, to] = [
  "ufw route allow from 10.42.0.0/16 to any comment 'k3s-doctor: what pods send'",
  "ufw route allow from any to 10.42.0.0/16 comment 'k3s-doctor: what pods receive'",
];

describe('a recorded node with UFW in the way', () => {
  test('has what is rejected named, and opened by UFW', async () => {
    const diagnosis = await diagnose({ dumps: recordedDumps, ufw: activeUfw('reject'), ufwBackend: nftOnly });
    expect(diagnosis).toMatchObject({ outcome: 'findings', reasons: [] });
    expect(diagnosis.findings).toMatchObject([
      {
        code: 'forward-blocked',
        subject: 'iptables-nft filter -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable',
        severity: 'error',
        effect: 'rejects',
        // A rule of the operator's lets through what comes over flannel.1 for cni0.
        message:
          "pods here → pods here, pods here → pods elsewhere, pods here → outside, outside → pods here, outside → pods elsewhere: rejected by rule 1 of ufw-reject-forward, iptables-nft filter: UFW's default for what is routed is reject",
        remedy: { kind: 'planned' },
      },
    ]);
    expect(commands(diagnosis)).toEqual([from, to]);
    expect(commands(diagnosis, false)).toEqual([]);
  });

  test('has IPv6 looked at where pods have it', async () => {
    const given = { dumps: recordedDumps, ufw: activeUfw('reject'), ufwBackend: nftOnly, pods: dualStack };
    const diagnosis = await diagnose(given);
    expect(diagnosis.findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('iptables-nft filter'),
      expect.stringMatching(/^all that pods send and receive \(IPv6\): .* ip6tables-nft filter/),
    ]);
    expect(commands(diagnosis).filter((command) => command.includes('fd00:42::/56'))).toHaveLength(2);
  });

  test('is healthy with the rules that the fix makes, and does not look at the ghosts', async () => {
    const healed = recordedDumps['nft ipv4'].replace(
      /^-A ufw-user-forward .*$/m,
      (line) =>
        `${line}\n-A ufw-user-forward -s 10.42.0.0/16 -j ACCEPT\n-A ufw-user-forward -d 10.42.0.0/16 -j ACCEPT`,
    );
    const dumps = { ...recordedDumps, 'nft ipv4': healed };
    expect(await diagnose({ dumps, ufw: activeUfw('reject'), ufwBackend: nftOnly })).toMatchObject({
      outcome: 'ok',
      findings: [],
      reasons: [],
    });
  });
});

describe('who is in the way', () => {
  const old = filter(ufwRules, 'DROP', ufwChains);
  const cases: readonly (readonly [string, Given, string])[] = [
    [
      "UFW's default",
      { dumps: { 'nft ipv4': old }, ufw: activeUfw('reject') },
      ": UFW's default for what is routed is reject",
    ],
    [
      'an UFW that is off',
      { dumps: { 'nft ipv4': old }, ufw: { kind: 'inactive' } },
      ': a rule that UFW has left there and does not maintain',
    ],
    [
      'an UFW in the other backend',
      { dumps: { 'legacy ipv4': old, 'nft ipv4': filter([]) }, ufw: activeUfw('deny'), ufwBackend: nftOnly },
      ': a rule that UFW has left there and does not maintain',
    ],
    ["Docker's policy", { dumps: { 'nft ipv4': filter([], 'DROP', { DOCKER: [] }) } }, ": Docker's policy"],
    [
      'Docker, where UFW was switched off',
      {
        dumps: {
          'nft ipv4': filter(['-j ufw-before-forward'], 'DROP', { DOCKER: [], 'ufw-before-forward': [] }),
        },
      },
      ": Docker's policy",
    ],
    [
      'a rule against what is new, among what is known',
      { dumps: { 'nft ipv4': filter(['-m conntrack --ctstate NEW -j ACCEPT', '-j DROP']) } },
      'dropped by rule 2 of FORWARD, iptables-nft filter',
    ],
    [
      'nobody that is known',
      { dumps: { 'nft ipv4': filter([], 'DROP') } },
      'by the policy of FORWARD, iptables-nft filter',
    ],
    [
      'a rule',
      { dumps: { 'legacy ipv4': filter(['-j LOG', '-j REJECT']) } },
      'rejected by rule 2 of FORWARD, iptables-legacy filter',
    ],
  ];
  test.each(cases)('%s', async (_, given, ending) => {
    const { findings } = await diagnose(given);
    expect(findings).toMatchObject([{ remedy: { kind: 'planned' } }]);
    expect(findings[0]?.message.endsWith(ending)).toBe(true);
  });

  test('several, one behind the other: each is found, and each gets what opens it', async () => {
    const diagnosis = await diagnose({
      dumps: { 'legacy ipv4': filter([], 'DROP'), 'nft ipv4': old },
      ufw: activeUfw('reject'),
      ufwBackend: nftOnly,
    });
    expect(diagnosis.findings.map(({ subject }) => subject).sort()).toEqual([
      'iptables-legacy filter FORWARD policy',
      'iptables-nft filter -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable',
    ]);
    expect(commands(diagnosis)).toEqual([from, to, 'iptables-legacy-restore --noflush --counters -w 5']);
  });
});

describe('our own chain', () => {
  const jump = '-I FORWARD # -m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD';

  test('is called right ahead of what is in the way, behind network policies', async () => {
    const rules = ['-j KUBE-ROUTER-FORWARD', '-s 198.51.100.0/24 -j DROP', '-j REJECT', '-j LOG'];
    const diagnosis = await diagnose({
      dumps: { 'nft ipv4': filter(rules, 'ACCEPT', { 'KUBE-ROUTER-FORWARD': [] }) },
    });
    expect(inputs(diagnosis)).toEqual([
      [
        '*filter',
        ':K3S-DOCTOR-FORWARD - [0:0]',
        '[0:0] -A K3S-DOCTOR-FORWARD -s 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT',
        '[0:0] -A K3S-DOCTOR-FORWARD -d 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT',
        // Printed for an empty table; where the rule behind it stands, it goes ahead of that.
        `[0:0] ${jump.replace('#', '1')}`,
        'COMMIT',
        '',
      ].join('\n'),
    ]);
    const [step] = diagnosis.plan(() => true).steps;
    expect(step).toMatchObject({ change: { addition: { inserts: [{ wanted: [2] }] } }, ownersWrite: true });
  });

  test('has nothing in it that k3s-killall.sh would take out', async () => {
    const [input] = inputs(await diagnose({ dumps: { 'nft ipv4': filter([], 'DROP') } }));
    expect(input).not.toMatch(/KUBE-|CNI-|flannel/i);
  });

  test('that says something else, or comes too late, goes first; what it let through it still does', async () => {
    const chain = {
      'K3S-DOCTOR-FORWARD': ['-d 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT'],
    };
    const late = [
      '-m conntrack --ctstate NEW -j REJECT',
      '-m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD',
    ];
    const diagnosis = await diagnose({ dumps: { 'nft ipv4': filter(late, 'DROP', chain) } });
    const [first, second, ...more] = inputs(diagnosis);
    expect(first).toContain(
      '-D FORWARD -m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD\n-X K3S-DOCTOR-FORWARD',
    );
    expect(second?.match(/ -[sd] 10\.42\.0\.0\/16 /g)).toHaveLength(2);
    expect(more).toEqual([]);
  });

  test('that is as it has to be, and called too late, is called again', async () => {
    const comment = '-m comment --comment "k3s-doctor: pods"';
    const chain = {
      'K3S-DOCTOR-FORWARD': [`-s 10.42.0.0/16 ${comment} -j ACCEPT`, `-d 10.42.0.0/16 ${comment} -j ACCEPT`],
    };
    const late = ['-j REJECT', `${comment} -j K3S-DOCTOR-FORWARD`];
    const [first, second] = inputs(await diagnose({ dumps: { 'nft ipv4': filter(late, 'DROP', chain) } }));
    expect(first).toContain(`-D FORWARD ${comment} -j K3S-DOCTOR-FORWARD`);
    expect(second?.match(/-j K3S-DOCTOR-FORWARD/g)).toHaveLength(1);
  });

  test('goes on to let through what it did, when something else is in need of it', async () => {
    const chain = {
      'K3S-DOCTOR-FORWARD': ['-d 10.42.0.0/16 -m comment --comment "k3s-doctor: pods" -j ACCEPT'],
    };
    const rules = ['-m comment --comment "k3s-doctor: pods" -j K3S-DOCTOR-FORWARD'];
    const diagnosis = await diagnose({ dumps: { 'nft ipv4': filter(rules, 'DROP', chain) } });
    expect(diagnosis.findings).toMatchObject([{ message: expect.stringMatching(/^pods here → outside: /) }]);
    expect(inputs(diagnosis)[1]?.match(/ -[sd] 10\.42\.0\.0\/16 /g)).toHaveLength(2);
  });

  test('goes ahead of the first of several that are in the way', async () => {
    const diagnosis = await diagnose({
      dumps: { 'nft ipv4': filter(['-j LOG', '-p udp -j DROP', '-p tcp -j REJECT']) },
    });
    expect(diagnosis.findings).toHaveLength(2);
    expect(diagnosis.plan(() => true).steps).toMatchObject([
      { change: { addition: { inserts: [{ wanted: [1] }] } } },
    ]);
  });

  test('lets through what pods send, where only that is in need of it', async () => {
    const rules = ['-d 10.42.0.0/16 -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'];
    const [input] = inputs(await diagnose({ dumps: { 'nft ipv4': filter(rules, 'DROP') } }));
    expect(input?.match(/^.*K3S-DOCTOR-FORWARD -[sd] \S+/gm)).toEqual([
      '[0:0] -A K3S-DOCTOR-FORWARD -s 10.42.0.0/16',
    ]);
  });

  test('lets through only what is in need of it', async () => {
    const rules = ['-s 10.42.0.0/16 -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'];
    const [input] = inputs(await diagnose({ dumps: { 'nft ipv4': filter(rules, 'DROP') } }));
    expect(input?.match(/^.*K3S-DOCTOR-FORWARD -[sd] \S+/gm)).toEqual([
      '[0:0] -A K3S-DOCTOR-FORWARD -d 10.42.0.0/16',
    ]);
  });
});

describe("UFW's own rules", () => {
  const user = (...rules: readonly string[]) => ({
    'nft ipv4': filter(ufwRules, 'DROP', { ...ufwChains, 'ufw-user-forward': rules }),
  });

  test('go ahead of one that denies everything', async () => {
    const diagnosis = await diagnose({ dumps: user('-j DROP'), ufw: activeUfw('deny'), ufwBackend: nftOnly });
    expect(commands(diagnosis)).toEqual(
      [from, to].map((command) => command.replace('allow', 'prepend allow')),
    );
  });

  test('go ahead of all, where some would do behind', async () => {
    const dumps = user('-p udp -j DROP');
    const diagnosis = await diagnose({ dumps, ufw: activeUfw('reject'), ufwBackend: nftOnly });
    expect(diagnosis.findings).toHaveLength(2);
    expect(commands(diagnosis)).toEqual(
      [from, to].map((command) => command?.replace('allow', 'prepend allow')),
    );
  });

  test('that come too late are deleted first', async () => {
    const ours = {
      route: true,
      source: '10.42.0.0/16',
      destination: '0.0.0.0/0',
      comment: 'k3s-doctor: what pods send',
    };
    const others = { family: 'ipv4', action: 'allow', direction: 'in', protocol: 'any' } as const;
    const ports = { destinationPort: 'any', sourcePort: 'any', inLink: undefined, outLink: undefined };
    const ufw = activeUfw('deny', [{ ...others, ...ports, ...ours }]);
    const dumps = user('-j DROP', '-s 10.42.0.0/16 -j ACCEPT');
    expect(commands(await diagnose({ dumps, ufw, ufwBackend: nftOnly }))).toEqual([
      from?.replace('ufw route', 'ufw --force route delete'),
      from?.replace('allow', 'prepend allow'),
      to?.replace('allow', 'prepend allow'),
    ]);
  });

  test.each([
    ['a pod network', '-s 10.42.0.0/16 -j REJECT'],
    ['a link', '-i cni0 -j DROP'],
    ['what is sent to pods', '-d 10.42.0.0/16 -p tcp -j DROP'],
  ])('do not overrule one about %s', async (_, rule) => {
    const diagnosis = await diagnose({ dumps: user(rule), ufw: activeUfw('deny'), ufwBackend: nftOnly });
    const explicit = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'none');
    expect(explicit).toMatchObject([
      {
        message: expect.stringContaining('rule 1 of ufw-user-forward'),
        remedy: { reason: expect.stringMatching(/^somebody told UFW so/) },
      },
    ]);
  });

  test.each<[string, Ufw]>([
    ['is not known', { kind: 'unavailable', reason: 'user.rules line 3: cut off' }],
    ['is off', { kind: 'inactive' }],
  ])('are not used where UFW %s', async (_, ufw) => {
    const diagnosis = await diagnose({ dumps: user(), ufw });
    expect(commands(diagnosis)).toEqual(['iptables-nft-restore --noflush --counters']);
  });
});

describe('what a machine does not open', () => {
  const cases: readonly (readonly [string, Given, RegExp])[] = [
    [
      'forwarding that is off',
      { network: { ...network, forwarding: { ipv4: false, ipv6: true } } },
      /sysctl -w net\.ipv4\.ip_forward=1/,
    ],
    [
      'a rule of somebody about these packets',
      { dumps: { 'nft ipv4': filter(['-s 10.42.0.0/24 -j DROP', '-d 10.42.0.0/24 -j DROP']) } },
      /^the rule is about just these packets/,
    ],
    [
      "the operator's rule beside Docker's",
      { dumps: { 'nft ipv4': filter(['-j DOCKER-USER'], 'ACCEPT', { 'DOCKER-USER': ['-j DROP'] }) } },
      /^DOCKER-USER holds the operator's own rules/,
    ],
  ];
  test.each(cases)('%s', async (_, given, reason) => {
    const diagnosis = await diagnose(given);
    expect(diagnosis.outcome).toBe('findings');
    for (const { remedy } of diagnosis.findings) {
      expect(remedy).toEqual({ kind: 'none', reason: expect.stringMatching(reason) });
    }
    expect(commands(diagnosis)).toEqual([]);
  });

  test.each([
    ['-s 10.42.0.0/16 -o eth0 -j DROP', 'warning'],
    ['-s 10.42.0.0/16 -d 10.42.0.0/16 -j DROP', 'error'],
  ])('%s: it is a %s', async (rule, severity) => {
    const { findings } = await diagnose({ dumps: { 'nft ipv4': filter([rule]) } });
    expect(findings).toMatchObject([{ severity, remedy: { kind: 'none' } }]);
  });

  test.each([
    [true, /^firewalld decides.*firewall-cmd --permanent --zone=trusted --add-source=10\.42\.0\.0\/16/],
    [false, /^firewalld does not run/],
  ])('what firewalld says, at work: %s', async (firewalld, reason) => {
    const { findings } = await diagnose({ nft: firewalldTable, firewalld });
    expect(findings).toMatchObject([
      {
        message: expect.stringMatching(/nft inet firewalld: firewalld's rule$/),
        remedy: { kind: 'none', reason: expect.stringMatching(reason) },
      },
    ]);
  });
});

describe('what is no fault', () => {
  test('no rule at all', async () => {
    expect(await diagnose()).toMatchObject({ outcome: 'ok', findings: [], reasons: [] });
  });

  test('network policies, of pods that are there and of all', async () => {
    const chains = {
      'KUBE-ROUTER-FORWARD': ['-d 10.42.0.254/32 -j KUBE-POD-FW-AAAAAAAAAAAAAAAA', '-j KUBE-NWPLCY-DEFAULT'],
      'KUBE-POD-FW-AAAAAAAAAAAAAAAA': ['-j REJECT'],
      'KUBE-NWPLCY-DEFAULT': [] as readonly string[],
    };
    const rules = ['-j KUBE-ROUTER-FORWARD'];
    const some = await diagnose({ dumps: { 'nft ipv4': filter(rules, 'ACCEPT', chains) } });
    expect(some.outcome).toBe('ok');
    expect(some.notes.join()).not.toContain('network policy');
    const all = { ...chains, 'KUBE-NWPLCY-DEFAULT': ['-j DROP'] };
    const diagnosis = await diagnose({ dumps: { 'nft ipv4': filter(rules, 'ACCEPT', all) } });
    expect(diagnosis).toMatchObject({ outcome: 'ok', findings: [] });
    expect(diagnosis.notes).toContain(
      'rule 1 of KUBE-NWPLCY-DEFAULT, iptables-nft filter: a network policy, which is no fault',
    );
  });

  test('pods that may go out to some ports alone', async () => {
    const rules = [
      '-s 10.42.0.0/16 -o eth0 -p tcp -m multiport --dports 80,443 -j ACCEPT',
      '-s 10.42.0.0/16 -o eth0 -p udp -m udp --dport 53 -j ACCEPT',
      '-m conntrack --ctstate NEW -i cni0 -o eth0 -j DROP',
    ];
    expect(await diagnose({ dumps: { 'nft ipv4': filter(rules) } })).toMatchObject({ outcome: 'ok' });
  });

  test('the outside and the other nodes, where no route leads there', async () => {
    const lonely = { ...network, routes: network.routes?.filter(({ link }) => link === 'cni0') };
    const diagnosis = await diagnose({ network: lonely, pods: { ...pods, overlayLinks: [] } });
    expect(diagnosis).toMatchObject({ outcome: 'ok' });
    expect(diagnosis.notes.join('\n')).toMatch(/nothing leads to pods on other nodes.*\n.*no default route/);
  });
});

describe('what cannot be told', () => {
  test('is said, and makes the check unknown', async () => {
    const rules = ['-m string --string "x" --algo bm --to 65535 -j DROP'];
    const diagnosis = await diagnose({ dumps: { 'nft ipv4': filter(rules) } });
    expect(diagnosis).toMatchObject({ outcome: 'unknown', findings: [] });
    expect(diagnosis.reasons).toMatchObject([
      expect.stringMatching(/whether it passes cannot be told: rule 1 of FORWARD/),
    ]);
  });

  test('a limit that drops is said, too', async () => {
    const rules = ['-m hashlimit --hashlimit-above 10/sec --hashlimit-mode srcip --hashlimit-name x -j DROP'];
    const { reasons } = await diagnose({ dumps: { 'nft ipv4': filter(rules) } });
    expect(reasons).toMatchObject([expect.stringMatching(/passes sometimes alone: rule 1 of FORWARD/)]);
  });

  test('a pod network that cannot be read', async () => {
    const reason = '/run/flannel/subnet.env cannot be read';
    expect(await diagnose({ pods: { kind: 'unavailable', reason } })).toMatchObject({
      outcome: 'unknown',
      reasons: [reason],
    });
    expect(await diagnose({ pods: { kind: 'absent', reason: 'no k3s' } })).toMatchObject({
      outcome: 'skipped',
      reasons: ['no k3s'],
    });
  });
});

const firewalldTable = [
  { table: { family: 'inet', name: 'firewalld', handle: 1 } },
  {
    chain: {
      ...{ family: 'inet', table: 'firewalld', name: 'filter_FORWARD', handle: 2 },
      ...{ type: 'filter', hook: 'forward', prio: 10, policy: 'accept' },
    },
  },
  {
    rule: {
      ...{ family: 'inet', table: 'firewalld', chain: 'filter_FORWARD', handle: 3 },
      expr: [{ reject: { type: 'icmpx', expr: 'admin-prohibited' } }],
    },
  },
];
