import type { Option, Rule } from '../../rule.ts';
import { addrtypeMatch } from './match-addrtype.ts';
import { baseMatch, isBaseOption } from './match-base.ts';
import { chanceMatch } from './match-chance.ts';
import { connmarkMatch, conntrackMatch, helperMatch, stateMatch } from './match-conntrack.ts';
import { physdevMatch, rpfilterMatch } from './match-links.ts';
import { markMatch } from './match-mark.ts';
import { macMatch, ownerMatch, pkttypeMatch } from './match-origin.ts';
import {
  ahMatch,
  espMatch,
  icmpMatch,
  iprangeMatch,
  multiportMatch,
  portMatch,
  tcpMatch,
} from './match-packet.ts';
import { absentHeader, hopLimitMatch } from './match-plain.ts';
import { setMatch } from './match-set.ts';
import {
  type MatchCompiler,
  type Matcher,
  type MatchGroup,
  notUnderstood,
  type RuleContext,
} from './matcher.ts';

/** All of a rule's conditions; each has to hold. */
export function compileMatches(rule: Rule, context: RuleContext): readonly Matcher[] {
  const base: Matcher[] = [];
  const groups: { name: string; options: Option[] }[] = [];
  const protocol = rule.options.find(({ name }) => name === '-p' || name === '--protocol')?.values[0];
  for (const option of rule.options) {
    if (option.name === '-m' || option.name === '--match') {
      const [name = '', ...more] = option.values;
      // `[unsupported revision]` stands where the tool cannot print what is there.
      groups.push({ name, options: more.length > 0 ? [{ ...option, name: more.join(' ') }] : [] });
    } else if (isBaseOption(option)) base.push(baseMatch(option, context));
    else {
      if (groups.length === 0) groups.push({ name: protocol ?? '', options: [] });
      groups.at(-1)?.options.push(option);
    }
  }
  return [...base, ...groups.flatMap((group) => compileGroup(group, context))];
}

function compileGroup(group: MatchGroup, context: RuleContext): readonly Matcher[] {
  return compilers.get(group.name)?.(group, context) ?? [notUnderstood(group)];
}

/** What only counts or explains. */
function always(...known: readonly string[]): MatchCompiler {
  return (group) => {
    const stranger = group.options.find(({ name }) => !known.includes(name));
    return stranger ? [notUnderstood(group, stranger)] : [];
  };
}

const compilers: ReadonlyMap<string, MatchCompiler> = new Map<string, MatchCompiler>([
  ['comment', always('--comment')],
  // It has a quota if somebody gave it one by hand; kube-proxy does not.
  ['nfacct', always('--nfacct-name')],
  ['tcp', tcpMatch],
  ...(['udp', 'sctp', 'dccp', 'udplite'] as const).map((name) => [name, portMatch] as const),
  ['multiport', multiportMatch],
  ...(['icmp', 'icmp6', 'icmpv6', 'ipv6-icmp'] as const).map((name) => [name, icmpMatch] as const),
  ['esp', espMatch],
  ['ah', ahMatch],
  ['iprange', iprangeMatch],
  ['conntrack', conntrackMatch],
  ['state', stateMatch],
  ['helper', helperMatch],
  ['mark', markMatch],
  ['connmark', connmarkMatch],
  ['addrtype', addrtypeMatch],
  ['physdev', physdevMatch],
  ['rpfilter', rpfilterMatch],
  ['owner', ownerMatch],
  ['mac', macMatch],
  ['pkttype', pkttypeMatch],
  ['set', setMatch],
  ['hl', hopLimitMatch],
  ...(['rt', 'frag', 'hbh', 'dst', 'mh'] as const).map((name) => [name, absentHeader] as const),
  ...(
    ['limit', 'hashlimit', 'recent', 'statistic', 'quota', 'connlimit', 'connbytes', 'time', 'cpu'] as const
  ).map((name) => [name, chanceMatch] as const),
]);
