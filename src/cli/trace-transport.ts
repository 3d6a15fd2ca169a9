import type { Family } from '../netfilter/ruleset.ts';
import type { TcpFlag, Transport } from '../netfilter/walk/packet.ts';
import { numberIn, usage } from './read-number.ts';

export interface TransportOptions {
  readonly proto: string;
  readonly sport?: string;
  readonly dport?: string;
  /** `8` or `8/0`. */
  readonly icmpType?: string;
  readonly spi?: string;
  /** `SYN` or `SYN,ACK`. */
  readonly tcpFlags?: string;
}

/** @throws DoctorError `usage`. */
export function readTransport(
  options: TransportOptions,
  family: Family,
): { readonly transport: Transport; readonly notices: readonly string[] } {
  const protocol = readProtocol(options.proto, family);
  refuseForeign(options, protocol);
  switch (protocol) {
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'udplite':
    case 'dccp': {
      const { sport, dport } = options;
      const ports = {
        ...(sport !== undefined && { sourcePort: numberIn('--sport', sport, 65_535, 1) }),
        ...(dport !== undefined && { destinationPort: numberIn('--dport', dport, 65_535, 1) }),
      };
      const notices =
        dport === undefined ? ['no --dport was given: a rule that asks for it cannot be evaluated'] : [];
      if (protocol !== 'tcp') return { transport: { protocol, ...ports }, notices };
      const flags = options.tcpFlags === undefined ? {} : { flags: readFlags(options.tcpFlags) };
      return { transport: { protocol, ...ports, ...flags }, notices };
    }
    case 'icmp':
      return readIcmp(options.icmpType, family);
    case 'esp':
    case 'ah': {
      const { spi } = options;
      const number = spi === undefined ? {} : { spi: numberIn('--spi', spi, 0xffff_ffff) };
      return { transport: { protocol, ...number }, notices: [] };
    }
    default:
      return { transport: { protocol: 'other', number: protocol }, notices: [] };
  }
}

type Protocol = Exclude<Transport['protocol'], 'other'> | number;

const numbers: Readonly<Record<string, Protocol>> = {
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  50: 'esp',
  51: 'ah',
  132: 'sctp',
  136: 'udplite',
};
const icmpNumbers = { ipv4: 1, ipv6: 58 } as const satisfies Record<Family, number>;

function readProtocol(text: string, family: Family): Protocol {
  const name = text.toLowerCase();
  if (name === 'icmp' || (name === 'icmpv6' && family === 'ipv6')) return 'icmp';
  if (name === 'icmpv6') throw usage('--proto icmpv6 needs IPv6 addresses', 'for IPv4 it is icmp');
  const named = Object.values(numbers).find((protocol) => protocol === name);
  if (named !== undefined) return named;
  if (!/^\d+$/.test(name) || Number(name) > 255) {
    throw usage(
      `--proto: expected tcp, udp, icmp, icmpv6, esp, ah, sctp or a number from 0 to 255, not "${text}"`,
    );
  }
  const number = Number(name);
  return number === icmpNumbers[family] ? 'icmp' : (numbers[number] ?? number);
}

/** What belongs to another protocol was meant for something: better refused than ignored. */
function refuseForeign(options: TransportOptions, protocol: Protocol): void {
  const name = typeof protocol === 'number' ? `protocol ${protocol}` : protocol;
  const hasPorts = typeof protocol === 'string' && !['icmp', 'esp', 'ah'].includes(protocol);
  const fits = {
    '--sport': options.sport === undefined || hasPorts,
    '--dport': options.dport === undefined || hasPorts,
    '--icmp-type': options.icmpType === undefined || protocol === 'icmp',
    '--spi': options.spi === undefined || protocol === 'esp' || protocol === 'ah',
    '--tcp-flags': options.tcpFlags === undefined || protocol === 'tcp',
  };
  const foreign = Object.entries(fits).find(([, isRight]) => !isRight)?.[0];
  if (foreign === undefined) return;
  const isPort = foreign.endsWith('port');
  throw usage(
    isPort ? `${foreign}: ${name} has no ports` : `${foreign} does not belong to ${name}`,
    isPort ? 'leave it out, or say --proto tcp or udp' : 'leave it out, or say another --proto',
  );
}

/** Without a type it is a ping: that is what people mean, and rules that do not ask for it decide the same. */
function readIcmp(text: string | undefined, family: Family) {
  const echo = family === 'ipv4' ? 8 : 128;
  if (text === undefined) {
    return {
      transport: { protocol: 'icmp', type: echo, code: 0 },
      notices: [`no --icmp-type was given: this is an echo request (${echo}/0)`],
    } as const;
  }
  const [type = '', code, ...rest] = text.split('/');
  if (rest.length > 0)
    throw usage(`--icmp-type: expected TYPE or TYPE/CODE, such as ${echo}/0, not "${text}"`);
  const number = numberIn('--icmp-type', type, 255);
  // An echo has no other code; that of an error is not known.
  const known = code === undefined ? ([0, 8, 128, 129].includes(number) ? '0' : undefined) : code;
  return {
    transport: {
      protocol: 'icmp',
      type: number,
      ...(known !== undefined && { code: numberIn('--icmp-type', known, 255) }),
    },
    notices: [],
  } as const;
}

const tcpFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const satisfies readonly TcpFlag[];

function readFlags(text: string): readonly TcpFlag[] {
  if (text.toUpperCase() === 'NONE') return [];
  return text.split(',').map((word) => {
    const flag = tcpFlags.find((known) => known === word.trim().toUpperCase());
    if (flag) return flag;
    throw usage(`--tcp-flags: expected some of ${tcpFlags.join(',')}, or NONE, not "${text}"`);
  });
}
