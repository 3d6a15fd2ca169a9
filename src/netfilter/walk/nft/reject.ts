import type { Flight } from '../flight.ts';
import type { Environment } from './environment.ts';
import { type JsonObject, textOf } from './json.ts';
import type { Step } from './step.ts';
import { actionOf } from './verdict.ts';

/** `reject with icmpx admin-prohibited`; packets that it is not made for end the rule. */
export function readReject({ type, expr }: JsonObject, { family }: Environment): readonly Step[] {
  const kind = textOf(type) ?? 'icmpx';
  const code = expr === undefined ? 'port-unreachable' : String(expr);
  const answer = kind === 'tcp reset' ? 'tcp-reset' : (words[family][code] ?? code);
  const next = { kind: 'reject', with: answer } as const;
  const action = actionOf(next) ?? '';
  return [{ test: applies(kind) }, { act: (flight) => [{ flight, next, action }] }];
}

function applies(kind: string): (flight: Flight) => boolean {
  switch (kind) {
    case 'tcp reset':
      return ({ packet }) => packet.transport.protocol === 'tcp';
    case 'icmp':
      return ({ packet }) => packet.family === 'ipv4';
    case 'icmpv6':
      return ({ packet }) => packet.family === 'ipv6';
    default:
      return () => true;
  }
}

/** The same answers in the words of iptables. */
const words: Readonly<Record<'ipv4' | 'ipv6', Readonly<Record<string, string>>>> = {
  ipv4: {
    'no-route': 'icmp-net-unreachable',
    'net-unreachable': 'icmp-net-unreachable',
    'host-unreachable': 'icmp-host-unreachable',
    'prot-unreachable': 'icmp-proto-unreachable',
    'port-unreachable': 'icmp-port-unreachable',
    'net-prohibited': 'icmp-net-prohibited',
    'host-prohibited': 'icmp-host-prohibited',
    'admin-prohibited': 'icmp-admin-prohibited',
  },
  ipv6: {
    'no-route': 'icmp6-no-route',
    'host-unreachable': 'icmp6-addr-unreachable',
    'addr-unreachable': 'icmp6-addr-unreachable',
    'port-unreachable': 'icmp6-port-unreachable',
    'admin-prohibited': 'icmp6-adm-prohibited',
    'policy-fail': 'icmp6-policy-fail',
    'reject-route': 'icmp6-reject-route',
  },
};
