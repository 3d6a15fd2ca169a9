import type { Family } from '../../netfilter/ruleset.ts';
import { parseNetwork, prefixLength, printAddress } from '../../netfilter/walk/addresses.ts';
import type { UfwRuleSpec, UfwRuleStep } from '../step.ts';

/** Arguments of `ufw`. The comment goes with a delete, too: without it any rule alike would be deleted. */
export function ufwArguments({ change, rule }: Pick<UfwRuleStep, 'change' | 'rule'>): readonly string[] {
  const { route, action, protocol, source, destination, port, inLink, outLink, comment, first } = rule;
  return [
    ...(change === 'delete' ? ['--force'] : []),
    ...(route ? ['route'] : []),
    ...(change === 'delete' ? ['delete'] : first ? ['prepend'] : []),
    action,
    ...(inLink === undefined ? [] : ['in', 'on', inLink]),
    ...(outLink === undefined ? [] : ['out', 'on', outLink]),
    ...(protocol === 'any' ? [] : ['proto', protocol]),
    ...['from', source, 'to', destination],
    ...(port === undefined ? [] : ['port', port]),
    ...['comment', comment],
  ];
}

/** The families whose rules UFW changes; both where no address says which. */
export function familiesOf({ source, destination }: UfwRuleSpec): readonly Family[] {
  const [address] = [source, destination].filter((each) => each !== 'any');
  if (address === undefined) return ['ipv4', 'ipv6'];
  return address.includes(':') ? ['ipv6'] : ['ipv4'];
}

/** What UFW notes of a rule in its file, between the action and the comment. */
export function tupleOf(rule: UfwRuleSpec, family: Family): string {
  const { protocol, port, source, destination } = rule;
  const ports = port?.split(',').sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return [
    protocol,
    ports?.join(',') ?? 'any',
    printNetwork(destination, family),
    'any',
    printNetwork(source, family),
    placeOf(rule),
  ].join(' ');
}

function placeOf({ inLink, outLink }: UfwRuleSpec): string {
  if (inLink !== undefined && outLink !== undefined) return `in_${inLink}!out_${outLink}`;
  if (inLink !== undefined) return `in_${inLink}`;
  return outLink === undefined ? 'in' : `out_${outLink}`;
}

/** As UFW writes it: whole addresses without a length, IPv6 in its shortest form. */
function printNetwork(text: string, family: Family): string {
  if (text === 'any') return family === 'ipv4' ? '0.0.0.0/0' : '::/0';
  const network = parseNetwork(text, family);
  if (network === undefined) return text;
  const length = prefixLength(network) ?? 0;
  const address = printAddress(network.address);
  return length === network.address.length * 8 ? address : `${address}/${length}`;
}

/** UFW's own chain for rules like this one. */
export function chainOf({ route }: UfwRuleSpec, family: Family): string {
  return `${family === 'ipv4' ? 'ufw' : 'ufw6'}-user-${route ? 'forward' : 'input'}`;
}

/** What UFW makes of it for the kernel: a port of any protocol becomes two rules. Normalized. */
export function kernelRules(rule: UfwRuleSpec, family: Family): readonly string[] {
  const { protocol, port, source, destination, inLink, outLink } = rule;
  const protocols = protocol === 'any' && port !== undefined ? ['tcp', 'udp'] : [protocol];
  return protocols.map((each) =>
    normalizeRule(
      [
        `-A ${chainOf(rule, family)}`,
        ...(inLink === undefined ? [] : [`-i ${inLink}`]),
        ...(outLink === undefined ? [] : [`-o ${outLink}`]),
        ...(each === 'any' ? [] : [`-p ${each}`]),
        ...(port === undefined
          ? []
          : [/[,]/.test(port) ? `-m multiport --dports ${port}` : `--dport ${port}`]),
        ...(source === 'any' ? [] : [`-s ${printNetwork(source, family)}`]),
        ...(destination === 'any' ? [] : [`-d ${printNetwork(destination, family)}`]),
        '-j ACCEPT',
      ].join(' '),
    ),
  );
}

/** The same text for a rule as UFW writes it and as iptables-save prints it. */
export function normalizeRule(line: string): string {
  return line
    .replace(/ -m (tcp|udp)(?= )/g, '')
    .replace(/( -[sd] \S+?)\/(32|128)(?= )/g, '$1')
    .split(/ (?=-)/)
    .sort()
    .join(' ');
}
