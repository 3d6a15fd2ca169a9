import { describe, expect, test } from 'vitest';
import { nativeBaseChains } from '../../../../src/netfilter/walk/nft/base-chains.ts';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { Link } from '../../../../src/netfilter/walk/reading.ts';
import { podToPod, toSsh, walkOver } from '../node-of.ts';
import { decider, nodeWith, recordedTables, tableOn, walkNative } from './native-node.ts';

const drop = { drop: null };

describe('which tables see a packet', () => {
  const ssh6: Packet = { ...toSsh, family: 'ipv6', source: '2001:db8::9', destination: '2001:db8::1' };

  test.each([
    ['ip', 'drop', 'pass'],
    ['ip6', 'pass', 'drop'],
    ['inet', 'drop', 'drop'],
    ['arp', 'pass', 'pass'],
  ])('a table of family %s', (family, ipv4, ipv6) => {
    const tables = tableOn('input', [[drop]], { family });
    expect(walkNative(tables, toSsh).verdict).toBe(ipv4);
    expect(walkNative(tables, ssh6).verdict).toBe(ipv6);
  });

  test('base chains are asked in the order of their priorities, the policy of each counts', () => {
    const first = tableOn('input', [], { policy: 'drop', prio: 10 });
    const second = JSON.parse(
      JSON.stringify(tableOn('input', [[drop]], { prio: -10 })).replaceAll('mine', 'other'),
    );
    const { ends } = walkNative([...first, ...second], toSsh);
    expect(ends).toMatchObject([{ decidedBy: { rule: { table: 'other' } } }]);
    expect(walkNative(first, toSsh).ends.map(decider)).toEqual(['policy of base']);
  });

  test('a dormant table is asleep; with flags that nobody knows it may be', () => {
    const [table, ...rest] = tableOn('input', [[drop]]);
    const withFlags = (flags: unknown) => [
      { table: { ...(table as { table: object }).table, flags } },
      ...rest,
    ];
    expect(walkNative(withFlags('dormant'), toSsh).verdict).toBe('pass');
    expect(walkNative(withFlags(['dormant']), toSsh).verdict).toBe('pass');
    expect(walkNative(withFlags('owner'), toSsh).verdict).toBe('drop');
    expect(walkNative(withFlags(['owner', 'persist']), toSsh).verdict).toBe('drop');
    const { verdict, ends } = walkNative(withFlags('?'), toSsh);
    expect(verdict).toBe('unknown');
    expect(ends.flatMap(({ assumptions }) => assumptions.map(({ reason }) => reason))).toContain(
      'the flags of table mine are not understood: it may be dormant',
    );
  });

  test('chains hold priorities and types as nft lists them', () => {
    const chains = nativeBaseChains(nodeWith(recordedTables('kube-proxy-1.34')), 'ipv4');
    expect(
      chains.map(({ ref, hook, type, priority }) => `${ref.family} ${ref.chain} ${hook} ${type} ${priority}`),
    ).toEqual([
      'ipv4 filter-prerouting-pre-dnat prerouting filter -110',
      'ipv4 filter-output-pre-dnat output filter -110',
      'ipv4 filter-input input filter 0',
      'ipv4 filter-forward forward filter 0',
      'ipv4 filter-output output filter 0',
      'ipv4 nat-prerouting prerouting nat -100',
      'ipv4 nat-output output nat -100',
      'ipv4 nat-postrouting postrouting nat 100',
    ]);
  });

  test('without nft, or where it could not be asked, there are none', () => {
    const reading = nodeWith([]);
    expect(nativeBaseChains({ ...reading, nft: { kind: 'absent' } }, 'ipv4')).toEqual([]);
    expect(nativeBaseChains({ ...reading, nft: { kind: 'unknown', reason: 'no' } }, 'ipv4')).toEqual([]);
  });

  test('objects that are no objects are passed over', () => {
    expect(nativeBaseChains(nodeWith([null, 5, 'x', {}, { metainfo: {} }, { table: 5 }]), 'ipv4')).toEqual(
      [],
    );
  });
});

describe('chains on links', () => {
  const ingress = (dev: unknown, expr: readonly unknown[] = [drop], family = 'netdev') => [
    { table: { family, name: 'edge' } },
    {
      chain: {
        family,
        table: 'edge',
        name: 'in',
        type: 'filter',
        hook: 'ingress',
        prio: 0,
        policy: 'accept',
        dev,
      },
    },
    { rule: { family, table: 'edge', chain: 'in', expr } },
  ];

  test('put what comes by their links in doubt', () => {
    const { verdict, ends } = walkNative(ingress('eth0'), toSsh);
    expect(verdict).toBe('unknown');
    expect(ends.flatMap(({ assumptions }) => assumptions)).toContainEqual(
      expect.objectContaining({
        kind: 'unknown',
        reason: 'chain in of table edge works on the link, where packets are not walked',
        rule: expect.objectContaining({ family: 'netdev', table: 'edge', chain: 'in' }),
      }),
    );
    expect(walkNative(ingress(['eth1', 'eth0'], [drop], 'inet'), toSsh).verdict).toBe('unknown');
  });

  test('are nothing to other links, and nothing where they stop nothing', () => {
    expect(walkNative(ingress('eth1'), toSsh).verdict).toBe('pass');
    expect(walkNative(ingress('eth0', [{ counter: {} }, { accept: null }]), toSsh).verdict).toBe('pass');
    expect(
      walkNative(ingress('eth0'), { ...toSsh, origin: { kind: 'process' }, destination: '192.0.2.7' })
        .verdict,
    ).toBe('pass');
  });

  test('of a port count for its bridge', () => {
    const reading = nodeWith(ingress('veth1'));
    const [eth0] = reading.network.links ?? [];
    const port: Link = { ...eth0, name: 'veth1', master: 'cni0', addresses: [] } as Link;
    const links = [...(reading.network.links ?? []), port];
    expect(walkOver({ ...reading, network: { ...reading.network, links } }, podToPod).verdict).toBe(
      'unknown',
    );
    expect(walkOver({ ...reading, network: { ...reading.network, links } }, toSsh).verdict).toBe('pass');
  });

  test('within a bridge concern what comes by a bridge', () => {
    const tables = tableOn('forward', [[drop]], { family: 'bridge' });
    expect(walkNative(tables, podToPod).verdict).toBe('unknown');
    expect(walkNative(tables, toSsh).verdict).toBe('pass');
  });
});
