import { expect, test } from 'vitest';
import { parseClusterDns } from '../../src/kube/cluster-dns.ts';
import { parseNodes } from '../../src/kube/nodes.ts';

test('a node is ready when its condition says so, and has its internal addresses', () => {
  const body = list(
    node('a', { type: 'Ready', status: 'True' }),
    node('b', { type: 'Ready', status: 'Unknown' }),
    node('c', { type: 'MemoryPressure', status: 'True' }),
  );
  const internalAddresses = ['192.168.60.1', 'fd00:60::1'];
  expect(parseNodes(body)).toEqual({
    kind: 'parsed',
    nodes: [
      { name: 'a', ready: true, internalAddresses },
      { name: 'b', ready: false, internalAddresses },
      { name: 'c', ready: false, internalAddresses },
    ],
  });
});

test('a node that has said nothing yet is not ready', () => {
  expect(parseNodes(list({ metadata: { name: 'new' } }))).toEqual({
    kind: 'parsed',
    nodes: [{ name: 'new', ready: false, internalAddresses: [] }],
  });
});

test.each([
  ['ok', 'not JSON'],
  ['{}', 'items: expected array, received undefined'],
  [list({ metadata: {} }), 'items[0].metadata.name: expected string, received undefined'],
])('%s is no list of nodes', (body, reason) => {
  expect(parseNodes(body)).toEqual({ kind: 'malformed', reason });
});

test('the address of cluster DNS is that of Service kube-dns', () => {
  const service = (name: string, clusterIP?: string) => ({ metadata: { name }, spec: { clusterIP } });
  expect(parseClusterDns(list(service('metrics', '10.43.0.9'), service('kube-dns', '10.43.0.10')))).toBe(
    '10.43.0.10',
  );
  for (const body of [list(service('kube-dns', 'None')), list(service('kube-dns')), list(), 'no']) {
    expect(parseClusterDns(body)).toBeUndefined();
  }
});

function list(...items: readonly unknown[]): string {
  return JSON.stringify({ kind: 'List', items });
}

function node(name: string, condition: { readonly type: string; readonly status: string }) {
  const addresses = [
    { type: 'InternalIP', address: '192.168.60.1' },
    { type: 'InternalIP', address: 'fd00:60::1' },
    { type: 'ExternalIP', address: '203.0.113.7' },
    { type: 'Hostname', address: name },
  ];
  return { metadata: { name }, status: { addresses, conditions: [condition] } };
}
