import type { Family } from '../../ruleset.ts';

export interface IcmpType {
  readonly type: number;
  /** Undefined: any. */
  readonly code: number | undefined;
}

/** `3/4`, `8`, `any`, or a name that iptables takes. */
export function readIcmpTypes(text: string, family: Family): IcmpType | 'any' | undefined {
  if (text === 'any' || (family === 'ipv4' && text === '255')) return 'any';
  const [, type, code] =
    /^(\d+)(?:\/(\d+))?$/.exec((family === 'ipv4' ? names4 : names6).get(text) ?? text) ?? [];
  if (type === undefined) return undefined;
  return { type: Number(type), code: code === undefined ? undefined : Number(code) };
}

const names4: ReadonlyMap<string, string> = new Map([
  ['echo-reply', '0'],
  ['pong', '0'],
  ['destination-unreachable', '3'],
  ['network-unreachable', '3/0'],
  ['host-unreachable', '3/1'],
  ['protocol-unreachable', '3/2'],
  ['port-unreachable', '3/3'],
  ['fragmentation-needed', '3/4'],
  ['source-quench', '4'],
  ['redirect', '5'],
  ['echo-request', '8'],
  ['ping', '8'],
  ['router-advertisement', '9'],
  ['router-solicitation', '10'],
  ['time-exceeded', '11'],
  ['ttl-exceeded', '11'],
  ['parameter-problem', '12'],
  ['timestamp-request', '13'],
  ['timestamp-reply', '14'],
  ['address-mask-request', '17'],
  ['address-mask-reply', '18'],
]);

const names6: ReadonlyMap<string, string> = new Map([
  ['destination-unreachable', '1'],
  ['no-route', '1/0'],
  ['communication-prohibited', '1/1'],
  ['address-unreachable', '1/3'],
  ['port-unreachable', '1/4'],
  ['packet-too-big', '2'],
  ['time-exceeded', '3'],
  ['ttl-exceeded', '3'],
  ['parameter-problem', '4'],
  ['echo-request', '128'],
  ['ping', '128'],
  ['echo-reply', '129'],
  ['pong', '129'],
  ['router-solicitation', '133'],
  ['router-advertisement', '134'],
  ['neighbour-solicitation', '135'],
  ['neighbor-solicitation', '135'],
  ['neighbour-advertisement', '136'],
  ['neighbor-advertisement', '136'],
  ['redirect', '137'],
]);
