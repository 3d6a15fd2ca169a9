import { expect, test } from 'vitest';
import { parseTraceOptions, type TraceOptions } from '../../../src/cli/trace-options.ts';
import { DoctorError } from '../../../src/doctor-error.ts';

const defaults = {
  from: '203.0.113.7',
  to: '10.0.0.5',
  proto: 'tcp',
  state: 'new',
  format: 'text',
  color: false,
} as const;

function parse(options: Partial<TraceOptions>) {
  return parseTraceOptions({ ...defaults, ...options });
}

function messageOf(options: Partial<TraceOptions>): string {
  try {
    parse(options);
  } catch (error) {
    if (error instanceof DoctorError && error.code === 'usage') return `${error.message}; ${error.hint}`;
  }
  throw new Error('it was accepted');
}

test('what was not said is a new TCP packet of which nothing more is known', () => {
  expect(parse({})).toEqual({
    family: 'ipv4',
    source: '203.0.113.7',
    destination: '10.0.0.5',
    transport: { protocol: 'tcp' },
    state: 'NEW',
    mark: undefined,
    inLink: undefined,
    outLink: undefined,
    uid: undefined,
    notices: ['no --dport was given: a rule that asks for it cannot be evaluated'],
  });
});

test('all that can be said', () => {
  expect(
    parse({
      from: 'FD00:0::7',
      to: 'fd00::5',
      dport: '443',
      sport: '40000',
      state: 'ESTABLISHED',
      mark: '0x4000',
      in: 'eth0',
      out: 'cni0',
      tcpFlags: 'syn,Ack',
    }),
  ).toMatchObject({
    family: 'ipv6',
    source: 'fd00::7',
    transport: { protocol: 'tcp', sourcePort: 40_000, destinationPort: 443, flags: ['SYN', 'ACK'] },
    state: 'ESTABLISHED',
    mark: 0x4000,
    inLink: 'eth0',
    outLink: 'cni0',
    notices: [],
  });
  expect(parse({ tcpFlags: 'NONE' }).transport).toMatchObject({ flags: [] });
  expect(parse({ from: 'local', uid: '0' })).toMatchObject({ source: undefined, uid: 0, family: 'ipv4' });
});

test.each([
  ['udp', 'ipv4', { protocol: 'udp' }],
  ['UDP', 'ipv4', { protocol: 'udp' }],
  ['17', 'ipv4', { protocol: 'udp' }],
  ['sctp', 'ipv6', { protocol: 'sctp' }],
  ['esp', 'ipv4', { protocol: 'esp' }],
  ['50', 'ipv4', { protocol: 'esp' }],
  ['51', 'ipv6', { protocol: 'ah' }],
  ['47', 'ipv4', { protocol: 'other', number: 47 }],
  ['0', 'ipv4', { protocol: 'other', number: 0 }],
  ['icmp', 'ipv4', { protocol: 'icmp', type: 8, code: 0 }],
  ['1', 'ipv4', { protocol: 'icmp', type: 8, code: 0 }],
  ['icmp', 'ipv6', { protocol: 'icmp', type: 128, code: 0 }],
  ['icmpv6', 'ipv6', { protocol: 'icmp', type: 128, code: 0 }],
  ['58', 'ipv6', { protocol: 'icmp', type: 128, code: 0 }],
  ['1', 'ipv6', { protocol: 'other', number: 1 }],
  ['58', 'ipv4', { protocol: 'other', number: 58 }],
] as const)('protocol %s of %s', (proto, family, transport) => {
  const addresses = family === 'ipv6' ? { from: 'fd00::7', to: 'fd00::5' } : {};
  expect(parse({ proto, ...addresses }).transport).toEqual(transport);
});

test.each([
  ['8', { type: 8, code: 0 }],
  ['8/0', { type: 8, code: 0 }],
  ['3/4', { type: 3, code: 4 }],
  ['3', { type: 3 }],
])('ICMP type %s', (icmpType, expected) => {
  expect(parse({ proto: 'icmp', icmpType }).transport).toEqual({ protocol: 'icmp', ...expected });
});

test.each([
  ['0x100', 0x100],
  ['256', 256],
])('SPI %s', (spi, expected) => {
  expect(parse({ proto: 'esp', spi }).transport).toEqual({ protocol: 'esp', spi: expected });
});

test.each<[string, Partial<TraceOptions>, RegExp]>([
  [
    'families differ',
    { to: 'fd00::5' },
    /--from 203\.0\.113\.7 is IPv4 and --to fd00::5 is IPv6; .*same family/,
  ],
  ['no address', { to: 'x' }, /^--to: expected an IPv4 or IPv6 address, not "x"; names are not looked up/],
  ['a name', { from: 'web.example' }, /^--from: .* or "local", not "web\.example"; names are not looked up/],
  ['an address out of range', { to: '10.0.0.256' }, /^--to: .*not "10\.0\.0\.256"/],
  ['a leading zero', { to: '10.0.0.010' }, /^--to: /],
  ['a range', { to: '10.0.0.0/24' }, /one address, not a range/],
  ['a zone', { to: 'fe80::1%eth0' }, /the link goes into --in or --out/],
  ['a port in --to', { to: '10.0.0.5:80' }, /the port goes into --dport 80/],
  ['a port in --from', { from: '[fd00::5]:80', to: 'fd00::1' }, /the port goes into --sport 80/],
  ['local as destination', { to: 'local' }, /^--to: expected/],
  ['a port that is none', { dport: 'http' }, /^--dport: expected a number from 1 to 65535, not "http"/],
  ['port 0', { dport: '0' }, /^--dport: expected a number from 1 to 65535/],
  ['a port too high', { sport: '65536' }, /^--sport: expected a number from 1 to 65535/],
  ['a port with esp', { proto: 'esp', dport: '500' }, /^--dport: esp has no ports; .*--proto tcp or udp/],
  ['a port with icmp', { proto: 'icmp', sport: '5' }, /^--sport: icmp has no ports/],
  ['a port with a number', { proto: '47', dport: '5' }, /^--dport: protocol 47 has no ports/],
  ['a type with tcp', { icmpType: '8' }, /^--icmp-type does not belong to tcp/],
  ['an SPI with udp', { proto: 'udp', spi: '8' }, /^--spi does not belong to udp/],
  ['flags with udp', { proto: 'udp', tcpFlags: 'SYN' }, /^--tcp-flags does not belong to udp/],
  ['no flags', { tcpFlags: 'SYN,SIN' }, /^--tcp-flags: expected some of FIN,SYN,.* not "SYN,SIN"/],
  ['no protocol', { proto: 'http' }, /^--proto: expected tcp, udp, .* a number from 0 to 255, not "http"/],
  ['a protocol too high', { proto: '256' }, /^--proto: /],
  ['icmpv6 over IPv4', { proto: 'icmpv6' }, /^--proto icmpv6 needs IPv6 addresses; for IPv4 it is icmp/],
  ['a type too high', { proto: 'icmp', icmpType: '256' }, /^--icmp-type: expected a number from 0 to 255/],
  ['three types', { proto: 'icmp', icmpType: '8/0/0' }, /^--icmp-type: expected TYPE or TYPE\/CODE/],
  ['no state', { state: 'open' }, /^--state: expected new, established, .* not "open"/],
  ['a mark too high', { mark: '0x100000000' }, /^--mark: expected a number from 0 to 4294967295/],
  ['a mark with a mask', { mark: '0x4000/0x4000' }, /^--mark: /],
  ['no user id', { uid: 'root' }, /^--uid: expected a number/],
  ['no link', { in: 'eth0/1' }, /^--in: expected the name of a link/],
  ['both ways', { bundle: 'a', record: 'b' }, /--bundle cannot go with --record/],
])('%s is refused in so many words', (_, options, message) => {
  expect(messageOf(options)).toMatch(message);
});
