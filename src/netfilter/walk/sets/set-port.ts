import { type Answer, unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import { protocolNumber } from '../nft/payload.ts';
import { protocols } from '../nft/symbols.ts';
import { portOf } from '../translate.ts';

/** `tcp:80` as `6:80`, `icmp:echo-request` as `1:8/0`; a number alone is a port of TCP and UDP. */
export function readSetPort(text: string): string | undefined {
  if (/^\d+$/.test(text)) return text;
  const [name = '', port = ''] = text.split(':');
  const protocol = /^\d+$/.test(name) ? Number(name) : protocols[name];
  if (protocol === undefined || port === '') return undefined;
  if (protocol !== protocols['icmp'] && protocol !== protocols['icmpv6']) {
    return /^\d+$/.test(port) ? `${protocol}:${port}` : undefined;
  }
  const typeAndCode = /^\d+\/\d+$/.test(port) ? port : (protocol === 1 ? icmpNames : icmp6Names)[port];
  return typeAndCode === undefined ? undefined : `${protocol}:${typeAndCode}`;
}

const portless = new Set(['esp', 'ah', 'dccp', 'other']);

/** The same of a packet; false: the set is not for such packets. */
export function setPortOf(
  flight: Flight,
  side: 'source' | 'destination',
  isBitmap: boolean,
): string | Exclude<Answer, true> {
  const { transport } = flight.packet;
  const { protocol } = transport;
  if (isBitmap && protocol !== 'tcp' && protocol !== 'udp') return false;
  const prefix = isBitmap ? '' : `${protocolNumber(flight)}:`;
  if (protocol === 'icmp') {
    if (transport.type === undefined) return unknown('the ICMP type is not known');
    if (transport.code === undefined) return unknown('the ICMP code is not known');
    return `${prefix}${transport.type}/${transport.code}`;
  }
  if (portless.has(protocol)) return `${prefix}0`;
  const port = portOf(transport, side);
  return port === undefined ? unknown(`the ${side} port is not known`) : `${prefix}${port}`;
}

type Names = Readonly<Record<string, string>>;

const icmpNames: Names = {
  'echo-reply': '0/0',
  pong: '0/0',
  'network-unreachable': '3/0',
  'host-unreachable': '3/1',
  'protocol-unreachable': '3/2',
  'port-unreachable': '3/3',
  'fragmentation-needed': '3/4',
  'source-route-failed': '3/5',
  'network-unknown': '3/6',
  'host-unknown': '3/7',
  'network-prohibited': '3/9',
  'host-prohibited': '3/10',
  'TOS-network-unreachable': '3/11',
  'TOS-host-unreachable': '3/12',
  'communication-prohibited': '3/13',
  'host-precedence-violation': '3/14',
  'precedence-cutoff': '3/15',
  'source-quench': '4/0',
  'network-redirect': '5/0',
  'host-redirect': '5/1',
  'TOS-network-redirect': '5/2',
  'TOS-host-redirect': '5/3',
  'echo-request': '8/0',
  ping: '8/0',
  'router-advertisement': '9/0',
  'router-solicitation': '10/0',
  'ttl-zero-during-transit': '11/0',
  'ttl-zero-during-reassembly': '11/1',
  'ip-header-bad': '12/0',
  'required-option-missing': '12/1',
  'timestamp-request': '13/0',
  'timestamp-reply': '14/0',
  'address-mask-request': '17/0',
  'address-mask-reply': '18/0',
};

const icmp6Names: Names = {
  'no-route': '1/0',
  'communication-prohibited': '1/1',
  'address-unreachable': '1/3',
  'port-unreachable': '1/4',
  'packet-too-big': '2/0',
  'ttl-zero-during-transit': '3/0',
  'ttl-zero-during-reassembly': '3/1',
  'bad-header': '4/0',
  'unknown-header-type': '4/1',
  'unknown-option': '4/2',
  'echo-request': '128/0',
  ping: '128/0',
  'echo-reply': '129/0',
  pong: '129/0',
  'router-solicitation': '133/0',
  'router-advertisement': '134/0',
  'neighbour-solicitation': '135/0',
  'neigbour-solicitation': '135/0',
  'neighbour-advertisement': '136/0',
  'neigbour-advertisement': '136/0',
  redirect: '137/0',
};
