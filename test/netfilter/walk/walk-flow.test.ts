import { expect, test } from 'vitest';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import { walkFlow } from '../../../src/netfilter/walk/walk-flow.ts';
import { inputDump } from '../../checks/firewall-texts.ts';
import { parseReading } from '../../checks/parse-reading.ts';
import { network } from '../../facts/made-up-cluster.ts';

const flow = {
  family: 'ipv4',
  source: '10.0.0.2',
  destination: '10.0.0.1',
  protocol: 'udp',
  ports: [8472, 8472],
  sourcePorts: [32_768, 60_999],
} as const;

const walk = (rules: readonly string[], of: Partial<Parameters<typeof walkFlow>[1]> = {}) => {
  const dumps = { 'nft ipv4': inputDump('ACCEPT', rules) };
  const firewall = createFirewall(parseReading({ network: network('10.0.0.1/24'), dumps }));
  return walkFlow(firewall, { ...flow, ...of }, 'NEW');
};

test('what lets in the whole range of source ports lets the flow in', () => {
  expect(walk(['-p udp -m udp --sport 1024:65535 --dport 8472 -j ACCEPT', '-j DROP'])).toMatchObject({
    verdict: 'pass',
    link: 'eth0',
  });
});

test('one source port that is stopped is enough', () => {
  expect(walk(['-p udp -m udp --sport 60000:65535 -j DROP'])).toMatchObject({
    verdict: 'drop',
    end: { fate: 'drop', decidedBy: { kind: 'rule', rule: { chain: 'INPUT', number: 1 } } },
  });
});

test('so is one port of a range', () => {
  const range = { protocol: 'tcp', ports: [2379, 2380] } as const;
  expect(walk(['-p tcp -m tcp --dport 2380 -j DROP'], range).verdict).toBe('drop');
  expect(walk(['-p tcp -m tcp --dport 2379 -j REJECT'], range).verdict).toBe('reject');
  expect(walk(['-p tcp -m tcp --dport 2381 -j DROP'], range).verdict).toBe('pass');
});

test('a protocol without ports', () => {
  const esp = { protocol: 'esp', ports: undefined, sourcePorts: [] } as const;
  expect(walk(['-p esp -j DROP'], esp).verdict).toBe('drop');
  expect(walk(['-p ah -j DROP'], esp).verdict).toBe('pass');
});

test('a packet that is stopped counts for more than one of which nothing can be told', () => {
  const rules = [
    '-p udp -m udp --sport 60999 -j DROP',
    '-p udp -m udp --sport 32768 -m u32 --u32 "0x0&0xff=0x1" -j DROP',
  ];
  expect(walk(rules).verdict).toBe('drop');
  expect(walk(rules.slice(1)).verdict).toBe('unknown');
});
