import type { UfwRule } from '../../facts/ufw.ts';
import type { Family } from '../../netfilter/ruleset.ts';
import type { Exposed } from './exposed.ts';

/** What a person can type: first let in who needs it, then shut out everybody else. */
export function closingCommands(exposed: Exposed): string {
  const { exposure, ufw, firewalld } = exposed;
  const { decidedBy } = exposure.end;
  const at =
    decidedBy.kind === 'rule' ? decidedBy.rule : decidedBy.kind === 'policy' ? decidedBy.chain : undefined;
  if (firewalld && at?.backend === 'native' && at.table === 'firewalld')
    return byFirewalld(exposed, at.chain);
  if (ufw.kind === 'active') return byUfw(exposed, ufw.rules);
  return byIptables(exposed, at?.backend === 'legacy' ? 'legacy' : 'nft');
}

/** UFW's rules for everybody are for both families. */
function byUfw(exposed: Exposed, rules: readonly UfwRule[]): string {
  const { port, protocol } = exposed.port;
  const allow = sourcesOf(exposed).map(
    (source) => `ufw prepend allow from ${source} to any port ${port} proto ${protocol}`,
  );
  const open = rules.filter((rule) => isOpenRule(rule, exposed));
  const [simple] = open.filter(({ destinationPort }) => /^\d+$/.test(destinationPort));
  const isAlone = open.length === 1 || new Set(open.map(ufwName)).size === 1;
  const close =
    open.length === 0
      ? `ufw deny ${port}/${protocol}`
      : simple && isAlone
        ? `ufw delete ${simple.action} ${ufwName(simple)}`
        : 'ufw status numbered, and ufw delete NUMBER of the rule that lets everybody in';
  return [...allow, close].join('; ');
}

/** As `ufw delete allow` takes it: both families go together. */
function ufwName({ destinationPort, protocol }: UfwRule): string {
  return protocol === 'any' ? destinationPort : `${destinationPort}/${protocol}`;
}

function isOpenRule(rule: UfwRule, { port: { port, protocol }, door }: Exposed): boolean {
  return (
    !rule.route &&
    rule.direction === 'in' &&
    (rule.action === 'allow' || rule.action === 'limit') &&
    rule.family === door.family &&
    ['any', protocol].includes(rule.protocol) &&
    ['any', '0.0.0.0/0', '::/0'].includes(rule.source) &&
    coversPort(rule.destinationPort, port)
  );
}

function coversPort(ports: string, port: number): boolean {
  if (ports === 'any') return true;
  return ports.split(',').some((part) => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return port >= first && port <= last;
  });
}

function byFirewalld(exposed: Exposed, chain: string): string {
  const { port, protocol } = exposed.port;
  const { family } = exposed.door;
  const zone = /^filter_IN_(?!policy_)(.+?)(?:_(?:pre|log|deny|allow|post))?$/.exec(chain)?.[1] ?? 'ZONE';
  const allow = sourcesOf(exposed, family).map(
    (source) =>
      `firewall-cmd --permanent --zone=${zone} --add-rich-rule='rule family="${family}" source address="${source}" port port="${port}" protocol="${protocol}" accept'`,
  );
  const close = chain.endsWith('_allow')
    ? `firewall-cmd --permanent --zone=${zone} --remove-port=${port}/${protocol}`
    : `firewall-cmd --permanent --zone=public --change-interface=${exposed.door.link}, for zone ${zone} lets everything in`;
  return [...allow, close, 'firewall-cmd --reload'].join('; ');
}

/** First let in, at the head; then shut out, right behind. */
function byIptables(exposed: Exposed, backend: 'legacy' | 'nft'): string {
  const { port, protocol } = exposed.port;
  const { family, link } = exposed.door;
  const program = `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}`;
  const match = `-p ${protocol} --dport ${port}`;
  const sources = sourcesOf(exposed, family);
  return [
    ...sources.map((source, i) => `${program} -I INPUT ${i + 1} -s ${source} ${match} -j ACCEPT`),
    `${program} -I INPUT ${sources.length + 1} -i ${link} ${match} -j DROP`,
    'and keep them over a reboot (netfilter-persistent save)',
  ].join('; ');
}

/** Who needs this port, over the family in question or over any; a word in their place where nobody is known. */
function sourcesOf({ needed, port: { port, protocol } }: Exposed, family?: Family): readonly string[] {
  const all = needed.filter(({ flow }) => {
    const [first = 0, last = 0] = flow.ports ?? [];
    return flow.protocol === protocol && port >= first && port <= last;
  });
  if (all.length === 0) return ['PEER'];
  const some = all.filter((each) => family === undefined || each.family === family);
  return [...new Set(some.map(({ source }) => source))];
}
