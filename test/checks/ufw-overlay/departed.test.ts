import { expect, test } from 'vitest';
import { cluster } from '../../facts/made-up-cluster.ts';
import { activeUfw, diagnose, n1, n2, reasonsNot, stepsOf } from './diagnose.ts';

const ours = { source: '10.0.0.9', comment: 'k3s-doctor: peer, VXLAN' } as const;
const prune = { prune: true } as const;

test('a rule of ours for an address that no node has any more is told, and stays', async () => {
  const diagnosis = await diagnose({ ufw: activeUfw([ours]) });
  expect(diagnosis.findings).toMatchObject([
    {
      code: 'peer-departed',
      subject: '10.0.0.9 8472/udp',
      severity: 'info',
      effect: 'exposes',
      message:
        'UFW lets 8472/udp in from 10.0.0.9, which is no node of the cluster any more: the rule is ours',
    },
  ]);
  expect(reasonsNot(diagnosis)).toEqual([
    'rules of ours for nodes that left stay unless checks.ufw-overlay.prune is on',
  ]);
  expect(stepsOf(diagnosis)).toEqual([]);
});

test('with prune on it is deleted, just as it is', async () => {
  const diagnosis = await diagnose({ ufw: activeUfw([ours]), settings: prune });
  expect(stepsOf(diagnosis)).toEqual([
    {
      kind: 'ufw-rule',
      change: 'delete',
      rule: {
        route: false,
        action: 'allow',
        direction: 'in',
        protocol: 'udp',
        source: '10.0.0.9',
        destination: 'any',
        port: '8472',
        comment: 'k3s-doctor: peer, VXLAN',
      },
    },
  ]);
});

test('an IP protocol has no port', async () => {
  const esp = { ...ours, protocol: 'esp', destinationPort: 'any' };
  const diagnosis = await diagnose({ ufw: activeUfw([esp]), settings: prune });
  expect(diagnosis.findings).toMatchObject([{ subject: '10.0.0.9 ESP' }]);
  expect(stepsOf(diagnosis)).toMatchObject([{ rule: { protocol: 'esp', port: undefined } }]);
});

test('the last peer may leave', async () => {
  const given = { nodes: cluster(n1), ufw: activeUfw([{ ...ours, source: '10.0.0.2' }]), settings: prune };
  expect(stepsOf(await diagnose(given))).toMatchObject([{ change: 'delete', rule: { source: '10.0.0.2' } }]);
});

test.each([
  ['has the comment of somebody else', { ...ours, comment: 'allow n9' }],
  ['has another comment of ours', { ...ours, comment: 'k3s-doctor: forward' }],
  ['has none', { ...ours, comment: '' }],
  ['is a route rule', { ...ours, route: true }],
  ['denies', { ...ours, action: 'deny' as const }],
  ['is about one link, which we never write', { ...ours, inLink: 'eth1' }],
  ['is for everybody, which we never write', { ...ours, source: '0.0.0.0/0' }],
  ['is for a node', { ...ours, source: '10.0.0.2' }],
  ['is for an address that a node announces', { ...ours, source: '198.51.100.2' }],
  ['is for an external address of a node', { ...ours, source: '198.51.100.3' }],
  ['is for a host of the configuration', { ...ours, source: '10.0.0.77' }],
])('a rule that %s is none of it', async (_why, rule) => {
  const flannel = { ...n2.flannel, publicIpOverwrite: '198.51.100.2' };
  const nodes = cluster(n1, { ...n2, externalAddresses: ['198.51.100.3'], flannel });
  const settings = { ...prune, peers: ['10.0.0.77'], profiles: ['ipsec'] as const };
  const diagnosis = await diagnose({ nodes, ufw: activeUfw([rule]), settings });
  expect(diagnosis.findings).toEqual([]);
});

test('an IPv6 address may be spelt in any way', async () => {
  const nodes = cluster(n1, { ...n2, internalAddresses: ['10.0.0.2', 'FD00:0:0::2'] });
  const ufw = activeUfw([{ ...ours, family: 'ipv6', source: 'fd00::2' }]);
  expect((await diagnose({ nodes, ufw, settings: prune })).findings).toEqual([]);
});

test.each([
  ['the API does not answer', { kind: 'unavailable', reason: 'connection refused' } as const],
  ['this node is not among the nodes', { ...cluster(n2), self: undefined }],
])('nothing is deleted if %s', async (_why, nodes) => {
  const diagnosis = await diagnose({ nodes, ufw: activeUfw([ours]), settings: prune });
  expect(diagnosis).toMatchObject({ outcome: 'unknown', findings: [] });
});
