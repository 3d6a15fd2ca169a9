import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseEndpointSlices, type ServiceEndpoint } from '../../src/kube/endpoint-slices.ts';

const recorded = new URL('../../fixtures/kube-proxy-legacy-then-nft/endpointslices.json', import.meta.url);

test('reads what a real API server answered', () => {
  const services = parsed(readFileSync(recorded, 'utf8'));
  const printed = [...services].map(([name, endpoints]) => `${name} ${endpoints.map(print).join(' ')}`);
  expect(printed).toEqual([
    'default/kubernetes https/tcp 10.99.0.1:6443',
    'default/lb http/tcp 10.42.0.7:8080 https/tcp 10.42.0.7:8443',
    'default/sticky http/tcp 10.42.0.9:8080 http/tcp 10.42.0.7:8080',
    'default/web http/tcp 10.42.0.9:8080',
    'kube-system/dns dns/udp 10.42.0.10:53 dns-tcp/tcp 10.42.0.10:53',
  ]);
});

describe('gaps are filled as kube-proxy fills them', () => {
  test.each([
    [undefined, 'ready'],
    [null, 'ready'],
    [{}, 'ready'],
    [{ ready: null }, 'ready'],
    [{ ready: true, serving: true, terminating: false }, 'ready'],
    [{ ready: false }, 'not-ready'],
    [{ ready: false, serving: true, terminating: true }, 'serving-terminating'],
    [{ ready: false, terminating: true }, 'serving-terminating'],
    [{ ready: false, serving: false, terminating: true }, 'not-ready'],
    [{ ready: false, serving: true, terminating: false }, 'not-ready'],
  ])('conditions %j mean %s', (conditions, state) => {
    const services = parsed(listOf(slice({ endpoints: [{ addresses: ['10.42.0.5'], conditions }] })));
    expect(services.get('default/web')).toEqual([
      { portName: 'http', protocol: 'tcp', port: 8080, address: '10.42.0.5', state },
    ]);
  });

  test.each([
    [[{ port: 53 }], ['/tcp 10.42.0.5:53']],
    [[{ name: null, protocol: null, port: 53 }], ['/tcp 10.42.0.5:53']],
    [[{ name: 'dns', protocol: 'UDP', port: 53 }], ['dns/udp 10.42.0.5:53']],
    [[{ name: 'sig', protocol: 'SCTP', port: 9 }], ['sig/sctp 10.42.0.5:9']],
    [[{ name: 'all', port: null }], []],
    [null, []],
  ])('ports %j', (ports, expected) => {
    expect(
      parsed(listOf(slice({ ports })))
        .get('default/web')
        ?.map(print),
    ).toEqual(expected);
  });

  test('a service without endpoints is known, and has none', () => {
    expect(parsed(listOf(slice({ endpoints: null }))).get('default/web')).toEqual([]);
    expect(parsed(listOf()).size).toBe(0);
    expect(parsed(JSON.stringify({ kind: 'EndpointSliceList', items: null })).size).toBe(0);
  });

  test('slices of host names, and of no service, are left out', () => {
    const noService = slice({ metadata: { namespace: 'default', labels: null } });
    const names = slice({ addressType: 'FQDN', endpoints: [{ addresses: ['db.example.org'] }] });
    expect(parsed(listOf(noService, names)).size).toBe(0);
  });
});

test('slices of one service are merged, both families', () => {
  const services = parsed(
    listOf(
      slice({}),
      slice({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00:0:0::000A'] }] }),
      slice({ ports: [{ name: 'metrics', port: 9090 }] }),
      slice({ metadata: { namespace: 'other', labels: { 'kubernetes.io/service-name': 'web' } } }),
    ),
  );
  expect(services.get('default/web')?.map(print)).toEqual([
    'http/tcp 10.42.0.5:8080',
    'http/tcp fd00::a:8080',
    'metrics/tcp 10.42.0.5:9090',
  ]);
  expect(services.get('other/web')).toHaveLength(1);
});

test.each([
  ['first', [false, true]],
  ['last', [true, false]],
])('an endpoint in two slices counts once, with its better state (%s)', (_, ready) => {
  const slices = ready.map((isReady) =>
    slice({ endpoints: [{ addresses: ['10.42.0.5'], conditions: { ready: isReady } }] }),
  );
  expect(parsed(listOf(...slices)).get('default/web')).toEqual([expect.objectContaining({ state: 'ready' })]);
});

test.each([
  ['<html>', 'not JSON'],
  ['{"kind":"EndpointSliceList","items":[{"a"}]}', 'items[0]: not JSON'],
  ['{"kind":"EndpointSliceList"}', 'items: expected array, received undefined'],
  ['{"kind":"Status","message":"no"}', 'kind: Invalid option: expected one of "EndpointSliceList"|"List"'],
  ['[]', 'expected object, received array'],
  [listOf({ kind: 'Service', metadata: { namespace: 'a' } }), 'items[0].kind: expected "EndpointSlice"'],
  [
    listOf(slice({}), slice({ addressType: 'IPX' })),
    'items[1].addressType: Invalid option: expected one of "IPv4"|"IPv6"|"FQDN"',
  ],
  [
    listOf(slice({ endpoints: [{ addresses: '10.42.0.5' }] })),
    'items[0].endpoints[0].addresses: expected array, received string',
  ],
  [listOf(slice({ ports: [{ port: '80' }] })), 'items[0].ports[0].port: expected number, received string'],
])('%s is refused with the place of its fault', (body, reason) => {
  const result = parseEndpointSlices(body);
  expect(result.kind === 'malformed' && result.reason).toContain(reason);
});

test('sixty thousand endpoints take no noticeable time', () => {
  const seconds = (count: number) => {
    const slices = Array.from({ length: count }, (_, index) => {
      const addresses = [1, 2, 3].map((host) => [`10.${index >> 8}.${index & 255}.${host}`]);
      const metadata = { namespace: 'default', labels: { 'kubernetes.io/service-name': `web-${index}` } };
      return slice({ metadata, endpoints: addresses.map((one) => ({ addresses: one })) });
    });
    const body = listOf(...slices);
    const startedAt = process.cpuUsage();
    expect(parsed(body).size).toBe(count);
    return process.cpuUsage(startedAt).user / 1e6;
  };
  seconds(2_000);
  expect(seconds(20_000)).toBeLessThan(3);
});

function slice(changes: Readonly<Record<string, unknown>>): unknown {
  return {
    metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.42.0.5'] }],
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    ...changes,
  };
}

function listOf(...items: readonly unknown[]): string {
  return JSON.stringify({
    kind: 'EndpointSliceList',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {},
    items,
  });
}

function parsed(body: string) {
  const result = parseEndpointSlices(body);
  if (result.kind !== 'parsed') throw new Error(result.reason);
  return result.services;
}

function print({ portName, protocol, address, port, state }: ServiceEndpoint): string {
  return `${portName}/${protocol} ${address}:${port}${state === 'ready' ? '' : ` ${state}`}`;
}
