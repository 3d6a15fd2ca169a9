import { describe, expect, test } from 'vitest';
import { networkFact } from '../../src/facts/network.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import type { NetworkReading } from '../../src/netfilter/walk/reading.ts';
import { gather } from './observed-host.ts';

type Commands = NonNullable<RecordingInput['commands']>;

const on = [
  { path: '/proc/sys/net/ipv4/ip_forward', text: '1\n' },
  { path: '/proc/sys/net/ipv6/conf/all/forwarding', text: '0\n' },
];

interface Answers {
  readonly links?: unknown;
  readonly routes4?: unknown;
  readonly routes6?: unknown;
  readonly rules4?: unknown;
  readonly rules6?: unknown;
}

/** What `ip` prints of a node: JSON, or a text of its own. */
async function networkOf(
  answers: Answers,
  { files = on, commands = [] as Commands } = {},
): Promise<NetworkReading & { readonly asked: readonly string[] }> {
  const { links = [], routes4 = [], routes6 = [], rules4 = ownRules, rules6 = ownRules } = answers;
  const said: readonly (readonly [string, readonly string[], unknown])[] = [
    ['links', ['-j', '-d', 'address', 'show'], links],
    ['routes4', ['-j', '-4', 'route', 'show', 'table', 'all'], routes4],
    ['routes6', ['-j', '-6', 'route', 'show', 'table', 'all'], routes6],
    ['rules4', ['-j', '-4', 'rule', 'show'], rules4],
    ['rules6', ['-j', '-6', 'rule', 'show'], rules6],
  ];
  const texts = Object.fromEntries(
    said.map(([name, , value]) => [name, () => (typeof value === 'string' ? value : JSON.stringify(value))]),
  );
  const ip = said.map(([stdout, args]) => ({ tool: 'ip' as const, args: [...args], stdout }));
  const host = { commands: [...ip, ...commands], files };
  const { value, asked } = await gather(networkFact, 'kube-proxy-legacy-then-nft', {
    edits: { texts, host },
  });
  return { ...value, asked };
}

const ownRules = [
  { priority: 0, src: 'all', table: 'local' },
  { priority: 32766, src: 'all', table: 'main' },
  { priority: 32767, src: 'all', table: 'default' },
];

describe('links', () => {
  const bridge = {
    ifindex: 4,
    ifname: 'cni0',
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1450,
    link_type: 'ether',
    address: '8a:89:e8:6c:1d:87',
    linkinfo: { info_kind: 'bridge', info_data: { forward_delay: 1500 } },
    addr_info: [
      { family: 'inet', local: '10.42.0.1', prefixlen: 24, broadcast: '10.42.0.255', scope: 'global' },
      { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link', tentative: true },
    ],
  };
  const port = {
    ifindex: 9,
    link: 'eth0',
    ifname: 'veth1',
    flags: ['BROADCAST', 'MULTICAST'],
    mtu: 1450,
    master: 'cni0',
    link_type: 'ether',
    address: '4a:2c:40:9e:41:3e',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge', info_slave_data: {} },
    addr_info: [],
  };

  test('have their kind, their state, their bridge and their addresses', async () => {
    const { links } = await networkOf({ links: [bridge, {}, port] });
    expect(links).toEqual([
      {
        index: 4,
        name: 'cni0',
        kind: 'bridge',
        up: true,
        loopback: false,
        mtu: 1450,
        mac: '8a:89:e8:6c:1d:87',
        master: undefined,
        addresses: [
          {
            family: 'ipv4',
            address: '10.42.0.1',
            prefixLength: 24,
            broadcast: '10.42.0.255',
            scope: 'global',
          },
          { family: 'ipv6', address: 'fe80::1', prefixLength: 64, broadcast: undefined, scope: 'link' },
        ],
      },
      {
        index: 9,
        name: 'veth1',
        kind: 'veth',
        up: false,
        loopback: false,
        mtu: 1450,
        mac: '4a:2c:40:9e:41:3e',
        master: 'cni0',
        addresses: [],
      },
    ]);
  });

  test('without Ethernet have no such address, and what is no bridge is no bridge', async () => {
    const lo = {
      ifindex: 1,
      ifname: 'lo',
      flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
      mtu: 65536,
      link_type: 'loopback',
      address: '00:00:00:00:00:00',
    };
    const inVrf = { ...port, master: 'vrf0', linkinfo: { info_kind: 'veth', info_slave_kind: 'vrf' } };
    const { links } = await networkOf({ links: [lo, inVrf] });
    expect(links).toMatchObject([
      { name: 'lo', loopback: true, mac: undefined, kind: undefined, addresses: [] },
      { name: 'veth1', master: undefined },
    ]);
  });
});

describe('routes', () => {
  const base = {
    table: 'main',
    type: 'unicast',
    link: undefined,
    gateway: undefined,
    preferredSource: undefined,
    metric: 0,
  };

  test('are of all tables and both families, with whole destinations', async () => {
    const { routes } = await networkOf({
      routes4: [
        { dst: 'default', gateway: '10.0.0.254', dev: 'eth0', protocol: 'dhcp', metric: 100, flags: [] },
        { dst: '10.8.0.2', dev: 'tun0', prefsrc: '10.8.0.1', flags: ['linkdown'] },
        { type: 'local', dst: '127.0.0.0/8', dev: 'lo', table: 'local', flags: [] },
        { type: 'prohibit', dst: '203.0.113.0/24', table: '77', flags: [] },
        { dst: '172.18.0.0/16', via: { family: 'inet6', host: 'fd00::7' }, dev: 'eth0', flags: [] },
      ],
      routes6: [
        { dst: 'default', gateway: 'fe80::1', dev: 'eth0', metric: 1024, flags: [] },
        { type: 'local', dst: '::1', dev: 'lo', table: 'local', metric: 0, flags: [] },
      ],
    });
    expect(routes).toEqual([
      {
        ...base,
        family: 'ipv4',
        destination: '0.0.0.0/0',
        gateway: '10.0.0.254',
        link: 'eth0',
        metric: 100,
      },
      { ...base, family: 'ipv4', destination: '10.8.0.2/32', link: 'tun0', preferredSource: '10.8.0.1' },
      { ...base, family: 'ipv4', destination: '127.0.0.0/8', link: 'lo', type: 'local', table: 'local' },
      { ...base, family: 'ipv4', destination: '203.0.113.0/24', type: 'prohibit', table: '77' },
      { ...base, family: 'ipv4', destination: '172.18.0.0/16', link: 'eth0', gateway: 'fd00::7' },
      { ...base, family: 'ipv6', destination: '::/0', link: 'eth0', gateway: 'fe80::1', metric: 1024 },
      { ...base, family: 'ipv6', destination: '::1/128', link: 'lo', type: 'local', table: 'local' },
    ]);
  });

  test('over several next hops are one for each; those that are out of use are none', async () => {
    const hop = (gateway: string, flags: readonly string[] = []) => ({
      gateway,
      dev: 'eth0',
      weight: 1,
      flags,
    });
    const { routes } = await networkOf({
      routes4: [
        {
          dst: '172.16.0.0/16',
          flags: [],
          nexthops: [hop('10.0.0.5'), hop('10.0.0.6', ['dead', 'linkdown'])],
        },
        { dst: '172.17.0.0/16', gateway: '10.0.0.7', dev: 'eth0', flags: ['dead', 'linkdown'] },
        { dst: '172.18.0.0/16', nexthops: [hop('10.0.0.8'), hop('10.0.0.9')] },
      ],
    });
    expect(routes?.map(({ destination, gateway }) => `${destination} ${gateway}`)).toEqual([
      '172.16.0.0/16 10.0.0.5',
      '172.18.0.0/16 10.0.0.8',
      '172.18.0.0/16 10.0.0.9',
    ]);
  });
});

describe('policy routing', () => {
  test.each<[string, Answers, boolean]>([
    ["the kernel's own rules are none", {}, false],
    ['an IPv6 node has no rule for "default"', { rules6: ownRules.slice(0, 2) }, false],
    ['whoever made them', { rules4: ownRules.map((rule) => ({ ...rule, protocol: 'kernel' })) }, false],
    ['a rule for a source', { rules4: [...ownRules, { priority: 9, src: '10.0.0.1', table: '77' }] }, true],
    [
      'a rule for a mark',
      { rules6: [...ownRules, { priority: 5210, src: 'all', fwmark: '0x80000', table: 'main' }] },
      true,
    ],
    ['a rule of its own for all', { rules4: [...ownRules, { priority: 9, src: 'all', table: '77' }] }, true],
    ['one of the own ones elsewhere', { rules4: [{ priority: 7, src: 'all', table: 'local' }] }, true],
    ['the rule of a VRF', { rules4: [...ownRules, { priority: 1000, src: 'all', l3mdev: null }] }, true],
  ])('%s', async (_what, answers, expected) => {
    expect(await networkOf(answers)).toMatchObject({ policyRouting: expected });
  });
});

describe('forwarding', () => {
  test('is what the kernel is set to', async () => {
    expect((await networkOf({})).forwarding).toEqual({ ipv4: true, ipv6: false });
  });

  test('a kernel without IPv6 forwards none, and ip is not asked about it', async () => {
    const { forwarding, asked, routes, policyRouting } = await networkOf({}, { files: on.slice(0, 1) });
    expect(forwarding).toEqual({ ipv4: true, ipv6: false });
    expect({ routes, policyRouting }).toEqual({ routes: [], policyRouting: false });
    expect(asked.filter((question) => question.includes('-6'))).toEqual([]);
  });

  test('is not known where nothing can be read', async () => {
    expect((await networkOf({}, { files: [] })).forwarding).toEqual({ ipv4: undefined, ipv6: undefined });
  });
});

describe('what cannot be had is undefined, and the rest is there', () => {
  test.each<[string, Answers, keyof NetworkReading]>([
    ['links are not JSON', { links: 'what?' }, 'links'],
    ['links are something else', { links: [{ ifname: 'eth0' }] }, 'links'],
    ['routes are not JSON', { routes4: '[{' }, 'routes'],
    ['routes are something else', { routes6: { dst: 'default' } }, 'routes'],
    ['rules are not JSON', { rules6: 'Object "-j" is unknown' }, 'policyRouting'],
  ])('%s', async (_what, answers, missing) => {
    const { asked: _asked, ...network } = await networkOf(answers);
    for (const [part, value] of Object.entries(network)) {
      if (part === missing) expect(value, part).toBeUndefined();
      else expect(value, part).toBeDefined();
    }
  });

  test('an old version prints nothing where there is nothing', async () => {
    expect(await networkOf({ routes6: '' })).toMatchObject({ routes: [] });
  });

  test.each<[string, Commands[number]]>([
    ['there is no ip', { tool: 'ip', absent: true }],
    ['it fails, as that of busybox', { tool: 'ip', exitCode: 1, stderr: 'ip: invalid option -- j' }],
    ['it hangs', { tool: 'ip', timeout: true }],
  ])('%s', async (_what, command) => {
    const { value } = await gather(networkFact, 'kube-proxy-legacy-then-nft', {
      edits: { host: { commands: [command], files: on } },
    });
    expect(value).toEqual({
      links: undefined,
      routes: undefined,
      policyRouting: undefined,
      forwarding: { ipv4: true, ipv6: false },
    });
  });
});
