import { expect, test } from 'vitest';
import { parseConnections } from '../../src/netfilter/conntrack.ts';

test('who asked whom, from where the answers come, and whether any did', () => {
  const text = [
    'tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=10.43.0.80 sport=46722 dport=80 src=10.42.0.5 dst=10.0.0.9 sport=8080 dport=46722 [ASSURED] mark=0 use=1',
    'udp      17 29 src=fd00::9 dst=fd00:43::a sport=5353 dport=53 [UNREPLIED] src=fd00:42::8 dst=fd00::9 sport=53 dport=5353 mark=0 use=1',
  ].join('\n');
  expect(parseConnections(text)).toEqual([
    {
      protocol: 'tcp',
      original: { source: '10.0.0.9', destination: '10.43.0.80', sourcePort: 46722, destinationPort: 80 },
      reply: { source: '10.42.0.5', destination: '10.0.0.9', sourcePort: 8080, destinationPort: 46722 },
      answered: true,
      rememberedSeconds: 431_999,
    },
    {
      protocol: 'udp',
      original: { source: 'fd00::9', destination: 'fd00:43::a', sourcePort: 5353, destinationPort: 53 },
      reply: { source: 'fd00:42::8', destination: 'fd00::9', sourcePort: 53, destinationPort: 5353 },
      answered: false,
    },
  ]);
});

test.each([
  [
    'connections without ports',
    'icmp     1 29 src=10.0.0.9 dst=10.0.0.1 type=8 code=0 id=7 src=10.0.0.1 dst=10.0.0.9 type=0 code=0 id=7 mark=0 use=1',
  ],
  [
    'unknown protocols',
    'unknown  2 599 src=10.42.1.1 dst=224.0.0.22 [UNREPLIED] src=224.0.0.22 dst=10.42.1.1 mark=0 use=1',
  ],
  [
    'a line cut short',
    'tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=10.43.0.80 sport=46722 dport=80 src=10.42',
  ],
  ['what conntrack says at the end', 'conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.'],
  ['nothing', ''],
])('%s are left out', (_what, line) => {
  expect(parseConnections(line)).toEqual([]);
});
