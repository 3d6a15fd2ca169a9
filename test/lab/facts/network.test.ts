/** What the facts say of a node whose network the real tools have set up. */
import { expect, it } from 'vitest';
import { startNode } from '../node/start-node.ts';
import { factsOf } from './facts-of.ts';

it('links, addresses, routes and forwarding are as they were set, live and replayed', async () => {
  await using node = await startNode();
  await node.addPod({ name: 'web', address: '10.42.0.9' });
  await node.run(['ip', '-batch', '-'], { input: setUp });

  const { live, replayed } = await factsOf(node);

  const { links = [], routes = [], policyRouting, forwarding } = live.network;
  expect(replayed.network).toEqual(live.network);
  expect(forwarding).toEqual({ ipv4: true, ipv6: true });
  expect(policyRouting).toBe(false);
  expect(links.map(({ name, kind, master }) => [name, kind, master])).toEqual(
    expect.arrayContaining([
      ['lo', undefined, undefined],
      ['cni0', 'bridge', undefined],
      ['eth0', 'bridge', undefined],
      [expect.anything(), 'veth', 'cni0'],
      ['flannel.1', 'vxlan', undefined],
    ]),
  );
  expect(links.find(({ name }) => name === 'cni0')?.addresses).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ family: 'ipv4', address: '10.42.0.1', prefixLength: 24, scope: 'global' }),
      expect.objectContaining({ family: 'ipv6', address: 'fd00:42::1', prefixLength: 64, scope: 'global' }),
    ]),
  );
  expect(links.find(({ name }) => name === 'flannel.1')).toMatchObject({
    up: true,
    mtu: 1450,
    mac: '4a:3c:4f:bd:7c:ee',
  });
  expect(routes).toEqual(
    expect.arrayContaining([
      route({ destination: '0.0.0.0/0', gateway: '192.168.60.254', link: 'eth0' }),
      route({ destination: '10.42.1.0/24', gateway: '10.42.1.0', link: 'flannel.1' }),
      route({ destination: '192.0.2.0/24', type: 'blackhole' }),
      route({ destination: '203.0.113.0/24', type: 'prohibit', table: '77' }),
      route({ destination: '172.16.0.0/16', gateway: '192.168.60.5' }),
      route({ destination: '172.16.0.0/16', gateway: '192.168.60.6' }),
      route({ destination: '10.42.0.1/32', type: 'local', table: 'local' }),
      route({ family: 'ipv6', destination: '::/0', gateway: 'fd00:60::fe' }),
      route({ family: 'ipv6', destination: 'fd00:42::1/128', type: 'local', table: 'local' }),
    ]),
  );
});

it('a rule of its own makes policy routing', async () => {
  await using node = await startNode();
  await node.run(['ip', '-6', 'rule', 'add', 'from', 'fd00::9', 'table', '77']);
  expect((await factsOf(node)).live.network.policyRouting).toBe(true);
});

it('the pods are where the bridge is, and where Flannel says once it does', async () => {
  await using node = await startNode();
  await node.run(['ip', '-batch', '-'], { input: setUp });
  expect((await factsOf(node)).live.podNetwork).toMatchObject({
    kind: 'known',
    podCidrs: ['10.42.0.0/24', 'fd00:42::/64'],
    overlayLinks: ['flannel.1'],
    source: 'link cni0',
  });
  await node.writeFile(
    '/run/flannel/subnet.env',
    'FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
  );
  const { live, replayed } = await factsOf(node);
  expect(live.podNetwork).toMatchObject({
    podCidrs: ['10.42.0.0/24'],
    clusterCidrs: ['10.42.0.0/16'],
    mtu: 1450,
    source: '/run/flannel/subnet.env',
  });
  expect(replayed.podNetwork).toEqual(live.podNetwork);
});

function route(fields: Readonly<Record<string, unknown>>) {
  return expect.objectContaining({ family: 'ipv4', table: 'main', type: 'unicast', ...fields });
}

const setUp = `link add flannel.1 address 4a:3c:4f:bd:7c:ee mtu 1450 type vxlan id 1 dstport 8472
link set flannel.1 up
route add 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink
route add blackhole 192.0.2.0/24
route add prohibit 203.0.113.0/24 table 77
route add 172.16.0.0/16 nexthop via 192.168.60.5 nexthop via 192.168.60.6
`;
