import { describe, expect, test } from 'vitest';
import { podNetworkFact } from '../../src/facts/pod-network.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { gather } from './observed-host.ts';

const file = '/run/flannel/subnet.env';

interface Node {
  /** What Flannel wrote; undefined: nothing. */
  readonly subnet?: string;
  /** Links by name, with addresses like `10.42.0.1/24`; undefined: they cannot be listed. */
  readonly links?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly processes?: RecordingInput['processes'];
  readonly files?: RecordingInput['files'];
  /** Of this node, in the API; undefined: it does not answer. */
  readonly podCidrs?: readonly string[];
}

async function podNetworkOf({ subnet, links, processes = [], files = [], podCidrs }: Node) {
  const flannel = subnet === undefined ? [] : [{ path: file, text: subnet }];
  const name = { path: '/proc/sys/kernel/hostname', text: 'alpha\n' };
  const nodes = { items: [{ metadata: { name: 'alpha' }, spec: { podCIDRs: podCidrs } }] };
  const ip = { tool: 'ip' as const, args: ['-j', '-d', 'address', 'show'], stdout: 'links.json' };
  const host = {
    commands: links === undefined ? [] : [ip],
    files: [...flannel, ...files, name],
    processes,
    localAddresses: {},
    kube: podCidrs === undefined ? [] : [{ path: '/api/v1/nodes', body: 'nodes.json' }],
  };
  const texts = {
    'links.json': () => JSON.stringify(Object.entries(links ?? {}).map(linkObject)),
    'nodes.json': () => JSON.stringify(nodes),
  };
  return gather(podNetworkFact, 'kube-proxy-legacy-then-nft', { edits: { host, texts } });
}

function linkObject([ifname, addresses]: readonly [string, readonly string[]], index: number) {
  const addr_info = addresses.map((text) => {
    const [local = '', length] = text.split('/');
    const isIpv6 = local.includes(':');
    const scope = local.startsWith('fe80') ? 'link' : 'global';
    return { family: isIpv6 ? 'inet6' : 'inet', local, prefixlen: Number(length), scope };
  });
  return { ifindex: index + 1, ifname, flags: ['UP'], mtu: 1450, link_type: 'ether', addr_info };
}

const k3s = [{ name: 'k3s-server' }];
const dual = `FLANNEL_NETWORK=10.42.0.0/16
FLANNEL_SUBNET=10.42.3.1/24
FLANNEL_IPV6_NETWORK=2001:cafe:42::/56
FLANNEL_IPV6_SUBNET=2001:cafe:42:3::1/64
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
`;

describe('what Flannel wrote down', () => {
  test('names the networks of both families; its subnet is an address in it', async () => {
    const links = { lo: ['127.0.0.1/8'], 'flannel.1': [], 'flannel-v6.1': [], cni0: ['10.42.3.1/24'] };
    const { value, asked } = await podNetworkOf({ subnet: dual, links });
    expect(value).toEqual({
      kind: 'known',
      podCidrs: ['10.42.3.0/24', '2001:cafe:42:3::/64'],
      clusterCidrs: ['10.42.0.0/16', '2001:cafe:42::/56'],
      bridge: 'cni0',
      overlayLinks: ['flannel.1', 'flannel-v6.1'],
      mtu: 1450,
      source: file,
    });
    expect(asked.filter((question) => question.startsWith('GET'))).toEqual([]);
  });

  test('may be of one family, and of IPv6 alone', async () => {
    const ipv4 = 'FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\n';
    expect((await podNetworkOf({ subnet: ipv4 })).value).toMatchObject({ podCidrs: ['10.42.0.0/24'] });
    const ipv6 = dual.replace(/^FLANNEL_(NETWORK|SUBNET)=.*\n/gm, '');
    expect((await podNetworkOf({ subnet: ipv6, links: { 'flannel-wg-v6': [] } })).value).toMatchObject({
      podCidrs: ['2001:cafe:42:3::/64'],
      clusterCidrs: ['2001:cafe:42::/56'],
      overlayLinks: ['flannel-wg-v6'],
    });
  });

  test.each(['', 'FLANNEL_NETWORK=10.42.0.0/16\n', 'FLANNEL_SUBNET=10.42.0/24\n'])(
    'is not understood: %j',
    async (subnet) => {
      expect((await podNetworkOf({ subnet, processes: k3s })).value).toEqual({
        kind: 'unavailable',
        reason: `${file} names no network of this node's pods`,
      });
    },
  );

  test('cannot be read', async () => {
    const files = [{ path: file, unreadable: 'EACCES' }];
    expect((await podNetworkOf({ files })).value).toEqual({
      kind: 'unavailable',
      reason: `${file} cannot be read: EACCES`,
    });
  });
});

describe('without it', () => {
  test("the bridge's addresses say it", async () => {
    const links = { cni0: ['10.42.3.1/24', 'fd00:42:3::1/64', 'fe80::1/64'], 'flannel.1': ['10.42.3.0/32'] };
    expect((await podNetworkOf({ links })).value).toEqual({
      kind: 'known',
      podCidrs: ['10.42.3.0/24', 'fd00:42:3::/64'],
      clusterCidrs: [],
      bridge: 'cni0',
      overlayLinks: ['flannel.1'],
      mtu: 1450,
      source: 'link cni0',
    });
  });

  test('or the API, where there is no pod yet', async () => {
    const { value } = await podNetworkOf({ links: { 'flannel.1': [] }, podCidrs: ['10.42.3.0/24'] });
    expect(value).toMatchObject({ kind: 'known', podCidrs: ['10.42.3.0/24'], source: 'the API' });
  });

  test('nobody may know it', async () => {
    expect((await podNetworkOf({ links: { 'flannel.1': [] } })).value).toEqual({
      kind: 'unavailable',
      reason: `there is no ${file} and no address on cni0: not recorded`,
    });
    expect((await podNetworkOf({ links: { 'flannel.1': [] }, podCidrs: [] })).value).toEqual({
      kind: 'unavailable',
      reason: `there is no ${file} and no address on cni0: the API has no pod network for this node`,
    });
  });

  test.each([
    ['there is no link cni0', { lo: ['127.0.0.1/8'] }],
    ['the links cannot be listed', undefined],
  ])('nor with k3s running where %s', async (why, links) => {
    expect((await podNetworkOf({ links, processes: k3s })).value).toEqual({
      kind: 'unavailable',
      reason: `there is no ${file}, and ${why}`,
    });
  });
});

describe('there is none', () => {
  test.each([
    [{ eth0: ['10.0.0.1/24'], docker0: ['172.17.0.1/16'] }],
    [{ cni0: ['10.88.0.1/16'] }],
    [undefined],
  ])('on a machine without k3s that has %j', async (links) => {
    expect((await podNetworkOf({ links })).value).toEqual({
      kind: 'absent',
      reason: 'neither k3s nor its overlay is on this machine',
    });
  });

  test("of Flannel's where Cilium is", async () => {
    const files = [{ path: '/proc/net/dev', text: 'cilium_host: 0 0\n' }];
    expect((await podNetworkOf({ links: {}, processes: k3s, files })).value).toEqual({
      kind: 'absent',
      reason: "the pods' network is Cilium's",
    });
  });
});
