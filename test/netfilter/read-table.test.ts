import { describe, expect, test } from 'vitest';
import type { TableReading } from '../../src/netfilter/table-reading.ts';
import { dumpReadingOf, readingOf, recordedDumps } from './recorded-dumps.ts';

/** A table with the given user chains and rules. */
function reading(table: 'nat' | 'filter', chains: readonly string[], rules: readonly string[]): TableReading {
  const builtIn = table === 'nat' ? ['PREROUTING', 'OUTPUT', 'POSTROUTING'] : ['INPUT', 'FORWARD', 'OUTPUT'];
  const text = [
    `*${table}`,
    ...builtIn.map((chain) => `:${chain} ACCEPT [0:0]`),
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...rules,
    'COMMIT\n',
  ].join('\n');
  return readingOf(text, table);
}

const svc = 'KUBE-SVC-CDGGSHYLG3RE2FKL';
const sep = 'KUBE-SEP-IV4V4L7CGKB7OJNB';
const toService = `-A KUBE-SERVICES -d 10.43.0.80/32 -p tcp -m comment --comment "default/web:http cluster IP" -m tcp --dport 80 -j ${svc}`;
const toEndpoint = `-A ${svc} -m comment --comment "default/web:http -> 10.42.0.5:8080" -j ${sep}`;
const dnat = `-A ${sep} -p tcp -m comment --comment "default/web:http" -m tcp -j DNAT --to-destination 10.42.0.5:8080`;

describe('recorded tables', () => {
  const readings = recordedDumps().flatMap(({ name, text }) =>
    [...dumpReadingOf(text).tables.values()].map((reading) => ({ name, ...reading })),
  );

  test('nothing stands in the way of a removal', () => {
    expect(
      readings.flatMap(({ name, obstacles }) => obstacles.map((obstacle) => ({ name, ...obstacle }))),
    ).toEqual([]);
  });

  test('no name contradicts its rules, but in the dump that was changed by hand', () => {
    const contradicted = readings.flatMap((reading) =>
      [...reading.owned.values()]
        .filter(({ proof }) => proof === 'contradicted')
        .map(({ name }) => [reading.name, name]),
    );
    const changed = 'k3s-ufw-reject-with-legacy-ghosts/iptables-legacy-save.txt';
    expect(contradicted).toEqual([
      [changed, 'KUBE-SEP-2RAD5WKGWNVHY3DH'],
      [changed, 'KUBE-SEP-3OKKACDEVHSNJYBO'],
      [changed, 'KUBE-SEP-4SSQDR46DMIXOOUO'],
      [changed, 'KUBE-SEP-SPW6OHKWQYLI5PJR'],
    ]);
  });

  test('names that cannot be computed again are those of chains without a comment or without a rule', () => {
    const unproven = readings
      .filter(({ name }) => !name.includes('without-comments') && !name.startsWith('k3s-ufw'))
      .flatMap(({ owned }) => [...owned.values()])
      .filter(({ kind, owner, proof }) => (kind || owner === 'portmap-sandbox') && proof !== 'recomputed');
    expect(unproven).toEqual([]);
  });

  test('every jump from a built-in chain to an owned one is known', () => {
    const jumps = readings.flatMap((each) => each.jumps);
    expect(jumps.length).toBeGreaterThan(100);
    expect(
      jumps.filter(({ chain }) => !/^(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.test(chain)),
    ).toEqual([]);
  });
});

test('a Service chain is proven by the rule that leads to it, an endpoint chain by its target', () => {
  const { owned, obstacles } = reading('nat', ['KUBE-SERVICES', svc, sep], [toService, toEndpoint, dnat]);
  expect(obstacles).toEqual([]);
  expect(owned.get(svc)).toMatchObject({ proof: 'recomputed', next: [sep] });
  expect(owned.get(sep)).toMatchObject({
    proof: 'recomputed',
    endpoint: { address: '10.42.0.5', port: 8080 },
  });
});

test('an endpoint chain that sends elsewhere than its name says is contradicted', () => {
  const { owned } = reading('nat', [sep], [dnat.replace('10.42.0.5', '10.42.0.6')]);
  expect(owned.get(sep)?.proof).toBe('contradicted');
});

test('a Service chain of another protocol than its name says is contradicted', () => {
  const { owned } = reading('nat', ['KUBE-SERVICES', svc], [toService.replaceAll('tcp', 'udp')]);
  expect(owned.get(svc)?.proof).toBe('contradicted');
});

test('an endpoint chain without comments, as above 1,000 endpoints, goes by its shape', () => {
  const bare = [
    `-A ${sep} -s 10.42.0.5/32 -j KUBE-MARK-MASQ`,
    `-A ${sep} -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:8080`,
  ];
  const { owned, obstacles } = reading('nat', ['KUBE-MARK-MASQ', sep], bare);
  expect(obstacles).toEqual([]);
  expect(owned.get(sep)).toMatchObject({ proof: 'by-shape', endpoint: { address: '10.42.0.5', port: 8080 } });
});

test('IPv6 endpoints are in brackets', () => {
  const { owned } = reading(
    'nat',
    [sep],
    [`-A ${sep} -p tcp -m tcp -j DNAT --to-destination [fd00:42::5]:8080`],
  );
  expect(owned.get(sep)?.endpoint).toEqual({ address: 'fd00:42::5', port: 8080 });
});

describe('obstacles', () => {
  test.each([
    ['a jump from a chain of ufw', 'nat', `-A ufw-user-input -j ${svc}`, 'foreign-reference'],
    ['a jump from a built-in chain', 'nat', `-A PREROUTING -d 10.43.0.80/32 -j ${svc}`, 'foreign-reference'],
    ['a goto', 'nat', `-A PREROUTING -g ${svc}`, 'foreign-reference'],
    ["a person's rule inside", 'nat', `-A ${svc} -s 203.0.113.7/32 -j RETURN`, 'foreign-rule-inside'],
    ['a rule inside that cannot be read', 'nat', `-A ${svc} -m comment --comment "abc`, 'unreadable-rule'],
    [
      'a rule elsewhere that cannot be read and names it',
      'nat',
      `-A OUTPUT -m comment --comment "${svc}`,
      'unreadable-rule',
    ],
    ['a jump from a chain of portmap', 'nat', `-A CNI-HOSTPORT-DNAT -j ${svc}`, 'foreign-reference'],
  ] as const)('%s', (_what, table, line, reason) => {
    const { obstacles, jumps } = reading(
      table,
      [svc, 'ufw-user-input', 'CNI-HOSTPORT-DNAT'],
      [`[7:420] ${line}`],
    );
    const chain = /^-A (\S+)/.exec(line)?.[1];
    expect(obstacles).toEqual([{ chain, line, reason, owned: svc }]);
    expect(jumps).toEqual([]);
  });

  test('a rule that cannot be read and names nothing owned is no obstacle', () => {
    expect(reading('nat', [svc], ['-A OUTPUT -m comment --comment "abc']).obstacles).toEqual([]);
  });
});

describe('host ports', () => {
  const chain = 'CNI-DN-2340674fa9a846ba6cee5';
  const id = '770c07dfd094fa98f07ed00c04920cc32b8f3be77d02d803b54b84cc1af77bb0';
  const entry = String.raw`-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"cbr0\" id: \"${id}\"" -m multiport --dports 80,443 -j ${chain}`;

  test('network, sandbox and ports are in the rule that leads to them', () => {
    const { hostPorts, obstacles, owned } = reading('nat', ['CNI-HOSTPORT-DNAT', chain], [`[1:60] ${entry}`]);
    expect(obstacles).toEqual([]);
    expect(owned.get(chain)?.proof).toBe('recomputed');
    expect(hostPorts).toEqual([
      { chain: 'CNI-HOSTPORT-DNAT', line: entry, target: chain, network: 'cbr0', sandboxId: id },
    ]);
  });

  test.each([
    ['the chain of another sandbox', entry.replace(id, id.replace('7', '8'))],
    ['the chain of another network', entry.replace('cbr0', 'podman')],
    ['no sandbox', entry.replace(/ -m comment --comment "(\\.|[^"])*"/, '')],
    ['another chain', entry.replace('CNI-HOSTPORT-DNAT', 'PREROUTING')],
  ])('a rule that leads to %s is foreign', (_what, line) => {
    const { hostPorts, obstacles } = reading('nat', ['CNI-HOSTPORT-DNAT', chain], [line]);
    expect(hostPorts).toEqual([]);
    expect(obstacles).toMatchObject([{ reason: 'foreign-reference', owned: chain }]);
  });

  test("portmap's own scaffolding is nobody's obstacle", () => {
    const { obstacles, owned } = reading(
      'nat',
      ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ'],
      [
        '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
        '-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE',
      ],
    );
    expect(obstacles).toEqual([]);
    expect([...owned.values()].map(({ owner }) => owner)).toEqual(['portmap', 'portmap']);
  });
});

test('a rule that is there twice is found twice', () => {
  const jump = '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
  expect(reading('nat', ['KUBE-SERVICES'], [`[1:1] ${jump}`, `[2:2] ${jump}`]).jumps).toEqual([
    { chain: 'OUTPUT', line: jump },
    { chain: 'OUTPUT', line: jump },
  ]);
});
