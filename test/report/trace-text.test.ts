import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import type { End } from '../../src/netfilter/walk/walk.ts';
import { renderTrace } from '../../src/report/trace-text.ts';
import { endAt, endOf, overlay, reportOf, ruleOf, serviceOf, textOf, toService } from './trace-example.ts';

const ufwReject = ruleOf('-A ufw-user-input -p udp -m udp --dport 8472 -j REJECT', { number: 3 });
const rejected = endOf({
  fate: 'reject',
  decidedBy: { kind: 'rule', rule: ufwReject, rejectWith: 'icmp-port-unreachable' },
  path: [{ hook: 'input', rule: ufwReject, action: 'reject with icmp-port-unreachable' }],
});
const byPolicy = endOf({
  fate: 'drop',
  way: 'forward',
  decidedBy: {
    kind: 'policy',
    chain: { backend: 'legacy', family: 'ipv6', table: 'filter', chain: 'FORWARD' },
  },
});
const forwards = ruleOf('-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT', { number: 2 });
const statistic = {
  kind: 'chance',
  reason: 'statistic: random, probability 0.5',
  rule: ruleOf('-A KUBE-SVC-X -m statistic --mode random -j KUBE-SEP-1', { table: 'nat', number: 2 }),
} as const;
const twoPods = ['10.42.0.9', '10.42.0.10'].map((address) =>
  endAt(address, 8080, { decidedBy: { kind: 'rule', rule: forwards }, assumptions: [statistic] }),
);

test('a rule that stops it is named with its number, chain, backend, table and text', () => {
  expect(textOf(reportOf({ verdict: 'reject', ends: [rejected] }))).toBe(`\
REJECT  udp 203.0.113.7 → 10.0.0.5:8472, new, in over eth0

  by      rule 3 of ufw-user-input, iptables-nft filter, which answers
          icmp-port-unreachable
          -A ufw-user-input -p udp -m udp --dport 8472 -j REJECT
  way     for this node itself

The whole path, rule by rule: -v
`);
});

test('what a rule answers is said once', () => {
  const rule = ruleOf('-A INPUT -j REJECT --reject-with tcp-reset');
  const end = endOf({ fate: 'reject', decidedBy: { kind: 'rule', rule, rejectWith: 'tcp-reset' } });
  expect(textOf(reportOf({ verdict: 'reject', ends: [end] })).match(/tcp-reset/g)).toHaveLength(1);
});

test('what is no rule has no place among the rules', () => {
  const nowhere = { ...ufwReject, table: '', chain: '', number: 0, text: '' };
  const whole = { ...ufwReject, number: 0, text: '' };
  const end = endOf({
    fate: 'drop',
    decidedBy: { kind: 'rule', rule: nowhere },
    assumptions: [
      { kind: 'unknown', reason: 'forwarding is not known', rule: nowhere },
      { kind: 'unknown', reason: 'the order is not known', rule: whole },
    ],
  });
  expect(textOf(reportOf({ verdict: 'unknown', ends: [end] }))).toContain(`
  by      rules that could not be read
  way     for this node itself
  doubt   forwarding is not known
  doubt   the order is not known
`);
});

test('-v has each rule on the way, with the hook, and no hint', () => {
  expect(textOf(reportOf({ verdict: 'reject', ends: [rejected] }), { verbose: true })).toContain(`
  path
    input        iptables-nft filter ufw-user-input 3: reject with
                 icmp-port-unreachable
                 -A ufw-user-input -p udp -m udp --dport 8472 -j REJECT
`);
});

test.each<[string, End, string]>([
  ['a policy', byPolicy, 'by      the policy of FORWARD, ip6tables-legacy filter\n'],
  ['nobody', endOf(), 'by      no rule stands in its way\n  way     delivered to this node\n'],
  [
    'the kernel',
    endOf({ fate: 'drop', way: undefined, decidedBy: { kind: 'kernel', reason: 'forwarding is off' } }),
    'by      no rule: forwarding is off\n',
  ],
  [
    'a rule that accepts',
    endOf({ decidedBy: { kind: 'rule', rule: forwards } }),
    'by      last accepted by rule 2 of KUBE-FORWARD, iptables-nft filter\n',
  ],
  [
    'a rule of a native table',
    endOf({ decidedBy: { kind: 'rule', rule: { ...forwards, backend: 'native', family: 'inet' } } }),
    'by      last accepted by rule 2 of KUBE-FORWARD, nft inet filter\n',
  ],
])('decided by %s', (_, end, words) => {
  expect(textOf(reportOf({ verdict: end.fate, ends: [end] }))).toContain(words);
});

test('a node that is behind two endpoints is one block, with what nat made of it and what was left to chance', () => {
  expect(textOf(reportOf({ verdict: 'pass', ends: twoPods }, { packet: toService }))).toBe(`\
PASS  tcp 192.168.60.2 → 10.43.0.80:80, new, in over eth0

  by      last accepted by rule 2 of KUBE-FORWARD, iptables-nft filter
          -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
  to      10.43.0.80:80 → 10.42.0.9:8080 / 10.42.0.10:8080
  way     forwarded over cni0
  chance  statistic: random, probability 0.5 (rule 2 of KUBE-SVC-X, iptables-nft
          nat)
`);
});

test('-v has each end for itself', () => {
  const text = textOf(reportOf({ verdict: 'pass', ends: twoPods }, { packet: toService }), { verbose: true });
  expect(text.match(/^ {2}to .*/gm)).toEqual([
    '  to      10.43.0.80:80 → 10.42.0.9:8080',
    '  to      10.43.0.80:80 → 10.42.0.10:8080',
  ]);
});

test('what becomes of the source and of the mark is said', () => {
  const { packet } = endAt('10.42.0.9', 8080);
  const end = endOf({ packet: { ...packet, source: '10.42.0.1', mark: 0x4000 }, sourceTranslated: true });
  expect(textOf(reportOf({ verdict: 'pass', ends: [end] }, { packet: toService }))).toContain(`
  source  192.168.60.2 → 10.42.0.1
  mark    0x4000
`);
});

test('where ends differ each has its fate and what it rests on', () => {
  const limit = { kind: 'chance', reason: 'limit: avg 3/min', rule: forwards } as const;
  const string = { kind: 'unknown', reason: 'match --string is not understood', rule: ufwReject } as const;
  const ends = [endOf({ assumptions: [limit] }), { ...rejected, assumptions: [limit, string] }];
  expect(textOf(reportOf({ verdict: 'depends', ends }))).toBe(`\
DEPENDS  udp 203.0.113.7 → 10.0.0.5:8472, new, in over eth0

  chance  limit: avg 3/min (rule 2 of KUBE-FORWARD, iptables-nft filter)

PASS
  by      no rule stands in its way
  way     delivered to this node

REJECT
  by      rule 3 of ufw-user-input, iptables-nft filter, which answers
          icmp-port-unreachable
          -A ufw-user-input -p udp -m udp --dport 8472 -j REJECT
  way     for this node itself
  doubt   match --string is not understood (rule 3 of ufw-user-input,
          iptables-nft filter)

The whole path, rule by rule: -v
`);
});

test('above the ends stands only what all of them rest on', () => {
  const limit = { kind: 'chance', reason: 'limit', rule: forwards } as const;
  const ends = [{ ...rejected, assumptions: [statistic, limit] }, endOf({ assumptions: [limit] })];
  const lines = textOf(reportOf({ verdict: 'depends', ends }), { width: 120 }).split('\n');
  const at = (word: string) => lines.findIndex((line) => line.includes(word));
  expect(at('chance  limit')).toBeLessThan(at('REJECT'));
  expect(at('chance  statistic')).toBeGreaterThan(at('REJECT'));
  expect(lines.filter((line) => line.includes('chance'))).toHaveLength(2);
});

test('the choices that one chain leaves to chance are one line', () => {
  const choices = [2, 3, 4, 7].map((number) => ({ ...statistic, rule: { ...statistic.rule, number } }));
  const end = endAt('10.42.0.9', 8080, { assumptions: choices });
  expect(textOf(reportOf({ verdict: 'pass', ends: [end] }, { packet: toService }), { width: 120 })).toContain(
    'chance  statistic: random, probability 0.5 (rules 2-4, 7 of KUBE-SVC-X, iptables-nft nat)',
  );
});

test('more than a screen can hold is counted, and -v has all of it', () => {
  const pods = Array.from({ length: 50 }, (_, i) => endAt(`10.42.0.${i + 2}`, 8080));
  const report = reportOf({ verdict: 'pass', ends: pods }, { packet: toService });
  expect(textOf(report)).toContain('/ … 42 more\n');
  expect(textOf(report, { verbose: true })).toContain('→ 10.42.0.51:8080\n');

  const rules = pods.map((end, number) =>
    endOf({ ...end, decidedBy: { kind: 'rule', rule: { ...forwards, number } } }),
  );
  const many = reportOf({ verdict: 'pass', ends: rules }, { packet: toService });
  expect(textOf(many)).toContain('… and 42 more ends (-v shows all, --format json has them)\n');
  expect(textOf(many).match(/^PASS$/gm)).toHaveLength(8);
  expect(textOf(many, { verbose: true }).match(/^PASS$/gm)).toHaveLength(50);
});

const ghost = serviceOf({
  backend: 'legacy',
  endpoints: [{ address: '10.42.0.5', port: 8080, state: 'dead' }],
});
const states = { from: 'by the EndpointSlices of https://127.0.0.1:6443' };

test('who claims the address is said for each backend, and a dead end right below the verdict', () => {
  const services = [ghost, serviceOf({ asked: 'second' })];
  const report = reportOf(
    { verdict: 'pass', ends: [endAt('10.42.0.5', 8080)] },
    { packet: toService, services, states },
  );
  expect(textOf(report)).toBe(`\
PASS  tcp 192.168.60.2 → 10.43.0.80:80, new, in over eth0
● 10.42.0.5:8080 is dead: nobody answers there. What to do: doctor check
  iptables-ghosts

  by      no rule stands in its way
  to      10.43.0.80:80 → 10.42.0.5:8080 dead
  way     forwarded over cni0

Service default/web:http, 10.43.0.80:80/tcp
  iptables-legacy  10.42.0.5:8080 dead (asked first)
  iptables-nft     10.42.0.9:8080 live, 10.42.0.10:8080 live (asked second)
Live or dead: by the EndpointSlices of https://127.0.0.1:6443
`);
});

test('a dead endpoint that the packet does not come to is no alarm', () => {
  const report = reportOf(
    { verdict: 'pass', ends: twoPods },
    { packet: toService, services: [ghost, serviceOf()], states },
  );
  expect(textOf(report)).not.toContain('●');
});

test('nor is one that it is stopped on the way to', () => {
  const end = endAt('10.42.0.5', 8080, { fate: 'drop' });
  const text = textOf(
    reportOf({ verdict: 'drop', ends: [end] }, { packet: toService, services: [ghost], states }),
  );
  expect(text).not.toContain('●');
  expect(text).toContain('10.43.0.80:80 → 10.42.0.5:8080 dead\n');
});

test('why it is not known better who lives is for -v', () => {
  const missing = { from: 'by the rules', missing: 'the API refused' };
  const report = reportOf(
    { verdict: 'pass', ends: twoPods },
    { packet: toService, services: [ghost], states: missing },
  );
  expect(textOf(report)).toContain('\nLive or dead: by the rules (-v says why not better)\n');
  expect(textOf(report, { verbose: true })).toContain('\nLive or dead: by the rules (the API refused)\n');
});

test('an endpoint and its state stand on one line', () => {
  const endpoints = [2, 3, 4, 5].map(
    (n) => ({ address: `10.42.0.${n}`, port: 80, state: 'not-ready' }) as const,
  );
  const report = reportOf({ verdict: 'pass', ends: [endOf()] }, { services: [serviceOf({ endpoints })] });
  for (const width of [50, 60, 70, 80])
    expect(textOf(report, { width }).match(/10\.42\.0\.\d:80 not ready/g)).toHaveLength(4);
});

test('a host port is said to be one, and which rule is never reached', () => {
  const port = { kind: 'host-port', address: null, name: 'default/web', asked: 'alone' } as const;
  const services = [
    serviceOf({ ...port, name: null, endpoints: [{ address: '10.42.0.5', port: 80, state: 'dead' }] }),
    serviceOf({
      ...port,
      isShadowed: true,
      endpoints: [{ address: '10.42.0.9', port: 80, state: 'not-ready' }],
    }),
    serviceOf({ ...port, endpoints: [] }),
  ];
  expect(textOf(reportOf({ verdict: 'pass', ends: [endOf()] }, { services }))).toContain(`
Host port 80/tcp
  iptables-nft     10.42.0.5:80 dead
Host port 80/tcp of pod default/web
  iptables-nft     10.42.0.9:80 not ready (never reached: an earlier rule takes
                   it)
  iptables-nft     no endpoints
`);
});

test.each([
  [
    { sourcePort: 5, destinationPort: 80, flags: ['SYN', 'ACK'] },
    'tcp (SYN,ACK) 203.0.113.7:5 → 10.0.0.5:80,',
  ],
  [{ flags: [] }, 'tcp (no flags) 203.0.113.7 → 10.0.0.5,'],
] as const)('a packet of TCP in words: %j', (transport, words) => {
  const packet = { ...overlay, transport: { protocol: 'tcp', ...transport } } as const;
  expect(textOf(reportOf({ verdict: 'pass', ends: [endOf()] }, { packet }))).toContain(`PASS  ${words}`);
});

test.each([
  [{ protocol: 'icmp', type: 8, code: 0 }, 'icmp echo request 203'],
  [{ protocol: 'icmp', type: 3, code: 4 }, 'icmp type 3 code 4 203'],
  [{ protocol: 'icmp', type: 3 }, 'icmp type 3 203'],
  [{ protocol: 'esp', spi: 256 }, 'esp (SPI 0x100) 203'],
  [{ protocol: 'other', number: 47 }, 'protocol 47 203'],
] as const)('a packet of another protocol in words: %j', (transport, words) => {
  const report = reportOf({ verdict: 'pass', ends: [endOf()] }, { packet: { ...overlay, transport } });
  expect(textOf(report)).toContain(`PASS  ${words}`);
});

test('where it comes from in words', () => {
  const walk = { verdict: 'pass', ends: [endOf()] } as const;
  const textFrom = (input: Parameters<typeof reportOf>[1]) => textOf(reportOf(walk, input), { width: 120 });
  expect(textFrom({ told: 'by-route' })).toContain(', in over eth0 (by route)\n');
  expect(textFrom({ packet: { ...overlay, origin: { kind: 'link', name: undefined } } })).toContain(
    ', in over an unknown link\n',
  );
  const process = { ...overlay, origin: { kind: 'process', uid: 0 }, mark: 0x10, outLink: 'eth1' } as const;
  expect(textFrom({ packet: process })).toContain(
    ', new, mark 0x10, from a process of this node (uid 0), leaving over eth1\n',
  );
});

test('what a comment says to the terminal is not passed on', () => {
  const rule = ruleOf('-A INPUT -m comment --comment "\u001b[2J\r\u009bx" -j DROP');
  const end = endOf({ fate: 'drop', decidedBy: { kind: 'rule', rule } });
  const text = textOf(reportOf({ verdict: 'drop', ends: [end] }));
  expect(text).toContain('--comment " [2J x" -j DROP\n');
  expect(text).not.toMatch(/[\u001b\r\u009b]/);
});

test('notices come last, and a verdict has its colour', () => {
  const report = reportOf({ verdict: 'unknown', ends: [endOf()] }, { notices: ['routes are not known'] });
  expect(textOf(report)).toMatch(/\n\nNote: routes are not known\n$/);
  const colour = new Chalk({ level: 1 });
  const coloured = renderTrace(report, { colour, width: 80, verbose: false });
  expect(coloured.split('  ')[0]).toBe(colour.bold(colour.yellow('UNKNOWN')));
});
