import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterDomain, resolveForwards, wouldBeAsked } from '../../src/coredns/forwards.ts';
import { arbitraryCorefile, askedFor, type MadeBlock, tellingNames } from './arbitrary-corefile.ts';
import { forwardsOf, k3sCorefile, newK3sCorefile, read } from './read.ts';

const custom = '/etc/coredns/custom/';
const ours = `${custom}k3s-doctor-upstream.override`;

function customFiles(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(files).map(([name, text]) => [`${custom}${name}`, text]));
}

function brief(text: string, files: Readonly<Record<string, string>> = {}) {
  return forwardsOf(text, customFiles(files)).map(({ from, upstreams, file, isShadowed }) =>
    [
      from,
      ...upstreams.map((each) => each.text),
      file?.replace(custom, ''),
      isShadowed ? 'shadowed' : undefined,
    ]
      .filter((word) => word !== undefined)
      .join(' '),
  );
}

function brokenBy(text: string, files: Readonly<Record<string, string>> = {}): string {
  const resolved = resolveForwards(read(text), customFiles(files));
  return resolved.kind === 'broken' ? resolved.reason : resolved.kind;
}

describe('the Corefile of k3s', () => {
  const files = {
    'a.override': 'forward . 10.0.0.1\n',
    'b.server': 'corp.test {\n  forward . 10.0.0.2\n}\n',
  };

  test('has its overrides behind its own forward, where nobody asks them', () => {
    expect(brief(k3sCorefile, files)).toEqual([
      '. /etc/resolv.conf',
      '. 10.0.0.1 a.override shadowed',
      'corp.test 10.0.0.2 b.server',
    ]);
    expect(wouldBeAsked(read(k3sCorefile), customFiles({}), ours)).toBe(false);
  });

  test('has them before it in later releases', () => {
    expect(brief(newK3sCorefile, files)).toEqual([
      '. 10.0.0.1 a.override',
      '. /etc/resolv.conf shadowed',
      'corp.test 10.0.0.2 b.server',
    ]);
    expect(wouldBeAsked(read(newK3sCorefile), customFiles({}), ours)).toBe(true);
  });

  test.each([
    ['a forward of the root in a file that comes earlier', { 'a.override': 'forward . 10.0.0.1\n' }, false],
    ['one in a file that comes later', { 'z.override': 'forward . 10.0.0.1\n' }, true],
    ['a forward of another zone', { 'a.override': 'forward corp.test 10.0.0.1\n' }, true],
    ['our own file', { 'k3s-doctor-upstream.override': 'forward . 10.0.0.1\n' }, true],
    ['a file that breaks all', { 'z.override': '}}\n' }, false],
    ['capital letters, which sort first', { 'K.override': 'forward . 10.0.0.1\n' }, false],
    [
      'a second block for the root at another address',
      { 'a.server': '. {\n bind 10.0.0.1\n forward . 10.0.0.1\n}\n' },
      false,
    ],
    ['a block for the root at another port', { 'a.server': '.:5353 {\n forward . 10.0.0.1\n}\n' }, true],
  ])('with %s: whether our override would be asked', (_, files, isAsked) => {
    expect(wouldBeAsked(read(newK3sCorefile), customFiles(files), ours)).toBe(isAsked);
  });

  test('serves its domain', () => {
    expect(clusterDomain(read(k3sCorefile))).toBe('cluster.local');
    expect(clusterDomain(read('. {\n  forward . 10.0.0.1\n}\n'))).toBeUndefined();
    expect(clusterDomain(read('in-addr.arpa Example.TEST:53 {\n  kubernetes\n}\n'))).toBe('example.test');
    expect(
      clusterDomain(read('(k) {\n  kubernetes 10.0.0.0/8 a.test. b.test\n}\n. {\n  import k\n}\n')),
    ).toBe('a.test');
  });
});

describe('of any Corefile', () => {
  test('the forwards are those that it was made of, in their order', () => {
    fc.assert(
      fc.property(arbitraryCorefile, ({ text, files, blocks }) => {
        const found = forwardsOf(text, files).map(({ upstreams, file }) => `${upstreams[0]?.text} ${file}`);
        const isServed = (server: string) =>
          tellingNames.some((name) => askedFor(name, withOnly(blocks, server)).length > 0);
        const made = blocks.flatMap(({ forwards }) => forwards).filter(({ server }) => isServed(server));
        expect([...new Set(found)]).toEqual(made.map(({ server, file }) => `${server}:5300 ${file}`));
      }),
      { numRuns: 500 },
    );
  });

  // That real CoreDNS asks just the servers that askedFor says was seen for 2500 names of 250 of these.
  test('a forward is shadowed exactly where no name makes CoreDNS ask it', () => {
    fc.assert(
      fc.property(arbitraryCorefile, ({ text, files, blocks }) => {
        const asked = new Set(tellingNames.flatMap((name) => askedFor(name, blocks)));
        const byServer = Map.groupBy(forwardsOf(text, files), ({ upstreams }) => upstreams[0]?.text ?? '');
        for (const [server, forwards] of byServer) {
          expect(forwards.every(({ isShadowed }) => isShadowed)).toBe(
            !asked.has(server.replace(':5300', '')),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a forward says for which zone of its block it is', () => {
    expect(brief('example.org:53 {\n  forward . 10.0.0.1\n}\n')).toEqual(['example.org 10.0.0.1']);
    expect(brief('a.test b.test {\n  forward . 10.0.0.1\n}\n')).toEqual([
      'a.test 10.0.0.1',
      'b.test 10.0.0.1',
    ]);
    expect(brief('. a.test {\n  forward . 10.0.0.1\n}\n')).toEqual(['. 10.0.0.1']);
    expect(brief('10.0.0.0/8 {\n  forward . 10.0.0.1\n}\n')).toEqual(['10.in-addr.arpa 10.0.0.1']);
    const resolved = resolveForwards(read('a.test {\n  forward b.test 10.0.0.1\n}\n'), new Map());
    expect(resolved).toMatchObject({
      forwards: [],
      doubts: ['line 2: forward b.test is never asked: its block gets no such questions'],
    });
  });
});

function withOnly(blocks: readonly MadeBlock[], server: string): readonly MadeBlock[] {
  return blocks.map(({ zones, forwards }) => ({
    zones,
    forwards: forwards.filter((forward) => forward.server === server),
  }));
}

describe('what CoreDNS would not start with', () => {
  test.each([
    [
      { 'a.server': '.:53 {\n  whoami\n}\n' },
      `${custom}a.server, line 1: cannot serve dns://.:53 - it is already defined`,
    ],
    [
      { 'a.override': 'hosts {\n}\n' },
      `${custom}a.override, line 1: plugin/hosts: this plugin can only be used once per Server Block`,
    ],
    [
      { 'a.override': 'import nowhere\n' },
      `${custom}a.override, line 1: the file to import is not there: nowhere`,
    ],
    [
      { 'a.override': 'forward . 10.0.0.1 {\n  policy any\n}\n' },
      `${custom}a.override, line 2: forward: random, round_robin or sequential was expected behind "policy", not "any"`,
    ],
    [
      { 'a.override': 'import a.override\n' },
      `${custom}a.override, line 1: "import a.override" brings in itself, without end`,
    ],
    [
      { 'a.override': 'import b\nimport b\n', b: 'import a.override\n' },
      `${custom}b, line 1: "import a.override" brings in itself, without end`,
    ],
    [
      { 'a.server': 'a.test {\n  whoami\n', 'b.server': 'b.test {\n  whoami\n}\n' },
      `${custom}b.server, line 1: the name of a plugin was expected, not "b.test" (is "}" missing for line 1 of ${custom}a.server?)`,
    ],
  ])('%j', (files, reason) => {
    expect(brokenBy(k3sCorefile, files)).toBe(reason);
  });

  test('what another CoreDNS may know is told, and nothing more', () => {
    const text = `. {\n  fanout . 10.0.0.1\n  forward . ns.example.org 10.0.0.1 {\n    speed 9\n    max_fails 1\n  }\n}\n`;
    const resolved = resolveForwards(read(text), new Map());
    const reasons = [
      'line 2: there is no plugin "fanout"',
      'line 3: forward: "ns.example.org": it is no IP address and no file',
      'line 4: forward: there is no option "speed"',
    ];
    expect(resolved).toMatchObject({
      kind: 'resolved',
      doubts: reasons,
      refused: reasons.map((reason, i) => ({ file: undefined, line: i + 2, reason })),
    });
    expect(forwardsOf(text)[0]?.options.map(({ name }) => name)).toEqual(['speed', 'max_fails']);
  });

  test('what is not known here is a doubt', () => {
    const text =
      'import /elsewhere/*\n. {\n  import {$FILE}\n  forward . {$SERVER} 10.0.0.1\n}\nimport /etc/coredns/*.none\n';
    expect(resolveForwards(read(text), new Map())).toMatchObject({
      doubts: [
        'line 1: what is imported as "/elsewhere/*" is not known here',
        'line 3: what is imported as "{$FILE}" is not known here',
      ],
    });
    expect(forwardsOf(text)[0]?.upstreams[0]).toMatchObject({ kind: 'other', text: '{$SERVER}' });
  });
});

describe('servers', () => {
  test.each([
    ['10.0.0.1', { kind: 'address', address: '10.0.0.1', port: 53, protocol: 'dns' }],
    ['10.0.0.1:5353', { kind: 'address', address: '10.0.0.1', port: 5353, protocol: 'dns' }],
    ['dns://10.0.0.1', { kind: 'address', address: '10.0.0.1', port: 53, protocol: 'dns' }],
    ['2001:db8::1', { kind: 'address', address: '2001:db8::1', port: 53, protocol: 'dns' }],
    ['[2001:db8::1]:54', { kind: 'address', address: '2001:db8::1', port: 54, protocol: 'dns' }],
    ['fe80::1%eth0', { kind: 'address', address: 'fe80::1%eth0', port: 53, protocol: 'dns' }],
    ['::ffff:10.0.0.1', { kind: 'address', address: '::ffff:10.0.0.1', port: 53, protocol: 'dns' }],
    ['tls://9.9.9.9', { kind: 'address', address: '9.9.9.9', port: 853, protocol: 'tls' }],
    [
      'tls://9.9.9.9%dns.quad9.net',
      { kind: 'address', address: '9.9.9.9', serverName: 'dns.quad9.net', protocol: 'tls' },
    ],
    ['tls://9.9.9.9%dns.quad9.net:8853', { kind: 'address', port: 8853, serverName: 'dns.quad9.net' }],
    ['/etc/resolv.conf', { kind: 'file', path: '/etc/resolv.conf' }],
    ['https://9.9.9.9', { kind: 'other' }],
    ['unix:///run/dns.sock', { kind: 'other' }],
    ['10.0.0.1:domain', { kind: 'other' }],
    ['10.0.0.1:0', { kind: 'other' }],
    ['10.0.0.1%eth0', { kind: 'other' }],
    ['10.0.0.01', { kind: 'other' }],
    ['[2001:db8::1]', { kind: 'other' }],
    ['2001:db8::12345', { kind: 'other' }],
    ['ns.example.org', { kind: 'other' }],
  ])('%s', (text, expected) => {
    expect(forwardsOf(`. {\n  forward . "${text}"\n}\n`)[0]?.upstreams).toEqual([
      expect.objectContaining({ ...expected, text }),
    ]);
  });

  test('the name on the certificate of a server is that of the option, or its own', () => {
    const named = 'forward . tls://9.9.9.9%dns.quad9.net {\n  tls_servername other.test\n}\n';
    expect(forwardsOf(`. {\n${named}}\n`)[0]?.tlsServerName).toBe('other.test');
    expect(forwardsOf('. {\n  forward . tls://9.9.9.9%dns.quad9.net\n}\n')[0]?.tlsServerName).toBe(
      'dns.quad9.net',
    );
  });
});
