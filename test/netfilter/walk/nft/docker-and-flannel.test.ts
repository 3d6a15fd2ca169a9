import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { FirewallReading, Link, Route } from '../../../../src/netfilter/walk/reading.ts';
import { podToPod, toSsh, walkOver } from '../node-of.ts';
import { decider, nodeWith, onlyEnd, recordedTables, toPort, walkNative } from './native-node.ts';

describe('the tables of Flannel', () => {
  const tables = recordedTables('flannel-0.26');

  test('accept what is of the cluster', () => {
    expect(decider(onlyEnd(walkNative(tables, podToPod)))).toBe('forward 1');
  });

  test.each<[string, Packet, string]>([
    ['between pods the source stays', podToPod, '10.42.0.5'],
    ['to the outside it is masqueraded', { ...podToPod, destination: '198.51.100.9' }, '192.0.2.1'],
    ['multicast is not', { ...podToPod, destination: '239.1.2.3', outLink: 'eth0' }, '10.42.0.5'],
    [
      'nor what kube-proxy has marked',
      { ...podToPod, destination: '198.51.100.9', mark: 0x4000 },
      '10.42.0.5',
    ],
  ])('%s', (_, packet, source) => {
    const { ends } = walkNative(tables, packet);
    expect(new Set(ends.map(({ packet: after }) => after.source))).toEqual(new Set([source]));
  });
});

describe('the tables of Docker', () => {
  const docker = withBridge(nodeWith(recordedTables('docker-bridges')));

  test('publish a port', () => {
    const end = onlyEnd(walkOver(docker, toPort(toSsh, 8081)));
    expect(end).toMatchObject({ fate: 'pass', way: 'forward', packet: { destination: '172.18.0.2' } });
    expect(decider(end)).toBe('filter-forward-in__br-web 3');
  });

  test('drop what asks a container directly, before all else', () => {
    const end = onlyEnd(walkOver(docker, { ...toPort(toSsh, 80), destination: '172.18.0.2' }));
    expect(end).toMatchObject({ fate: 'drop', way: undefined });
    expect(decider(end)).toBe('raw-PREROUTING 1');
  });

  test('drop ports that are not published', () => {
    const end = onlyEnd(walkOver(docker, { ...toPort(toSsh, 80), destination: '172.18.0.3' }));
    expect(decider(end)).toBe('filter-forward-in__br-web 4');
  });

  test('let containers out, masqueraded', () => {
    const packet: Packet = {
      ...toSsh,
      origin: { kind: 'link', name: 'br-web' },
      source: '172.18.0.2',
      destination: '198.51.100.9',
    };
    const end = onlyEnd(walkOver(docker, packet));
    expect(decider(end)).toBe('filter-forward-out__br-web 2');
    expect(end.packet.source).toBe('192.0.2.1');
  });

  test('let pods be: links that are in no map', () => {
    expect(onlyEnd(walkOver(docker, podToPod))).toMatchObject({
      fate: 'pass',
      decidedBy: { kind: 'policy', chain: { chain: 'filter-FORWARD' } },
    });
  });
});

function withBridge(reading: FirewallReading): FirewallReading {
  const { network } = reading;
  const [, eth0] = network.links ?? [];
  if (!eth0) throw new Error('the node has no links');
  const address = { address: '172.18.0.1', prefixLength: 16, broadcast: undefined, scope: 'global' } as const;
  const bridge: Link = { ...eth0, name: 'br-web', addresses: [{ family: 'ipv4', ...address }] };
  const to = (table: string, type: string, destination: string): Route => ({
    family: 'ipv4',
    table,
    type,
    destination,
    link: 'br-web',
    gateway: undefined,
    preferredSource: undefined,
    metric: 0,
  });
  return {
    ...reading,
    network: {
      ...network,
      links: [...(network.links ?? []), bridge],
      routes: [
        ...(network.routes ?? []),
        to('local', 'local', '172.18.0.1/32'),
        to('main', 'unicast', '172.18.0.0/16'),
      ],
    },
  };
}
