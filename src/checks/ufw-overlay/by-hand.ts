import type { NeededFlow } from '../../facts/flow.ts';
import { nftFamily, tableWords } from '../../netfilter/walk/decision-words.ts';
import type { ChainRef, End } from '../../netfilter/walk/walk.ts';
import type { Gap } from './judge.ts';
import type { Obstacle, Opening } from './opening.ts';
import { richRule } from './rich-rule.ts';
import { ufwWords } from './ufw-words.ts';
import { zoneOf } from './zone.ts';

/** What a person can type to open gaps of one flow that are closed by the same rule; undefined: nothing helps. */
export function commandsFor(gaps: readonly Gap[], { way }: Obstacle): string | undefined {
  const [first] = gaps;
  if (first === undefined) return undefined;
  const needs = gaps.map(({ need }) => need);
  switch (way.kind) {
    case 'ufw-list':
      return needs.map((need) => `ufw prepend ${ufwWords(need)}`).join('; ');
    case 'ufw-file':
      return 'see the rule in /etc/ufw/before.rules or after.rules (before6.rules, after6.rules), then ufw reload';
    case 'ufw-switch':
      return 'ufw enable, and run this again; or ufw disable, which empties its chains';
    case 'zone':
      return zoneCommands(first.end, needs);
    case 'rule':
      return ruleCommand(first.end, needs);
    case 'two':
      return [openingCommands(way.opening, needs), ruleCommand(way.next, needs)]
        .filter((command) => command !== undefined)
        .join('; ');
    case 'none':
      return undefined;
  }
}

function openingCommands(opening: Opening, needs: readonly NeededFlow[]): string {
  if (opening.kind === 'ufw') return needs.map((need) => `ufw ${ufwWords(need)}`).join('; ');
  return [...needs.map((need) => addToZone(opening.zone, richRule(need))), reloadZones].join('; ');
}

function ruleCommand({ decidedBy: decision, path }: End, needs: readonly NeededFlow[]): string | undefined {
  const [first] = needs;
  if (decision.kind === 'kernel' || decision.kind === 'nothing' || first === undefined) return undefined;
  const at = decision.kind === 'rule' ? decision.rule : decision.chain;
  const sources = needs.map(({ source }) => source);
  if (at.backend !== 'native') {
    const hook = path.findLast(({ rule }) => rule.backend === at.backend && rule.table === at.table)?.hook;
    const chain = decision.kind === 'policy' ? at.chain : (hook ?? 'input').toUpperCase();
    return iptablesCommand({ ...at, chain }, first, sources);
  }
  const from = sources.length === 1 ? sources[0] : `{ ${sources.join(', ')} }`;
  const target = `${nftFamily(at.family)} ${at.table} ${at.chain}`;
  return `nft insert rule ${target} ${nftFamily(first.family)} saddr ${from} ${nftPorts(first)} accept`;
}

/** Ahead of what the zone itself denies. */
function zoneCommands({ decidedBy }: End, needs: readonly NeededFlow[]): string {
  const place = decidedBy.kind === 'rule' ? zoneOf(decidedBy.rule.chain) : undefined;
  return [...needs.map((need) => addToZone(place?.zone, richRule(need, -1))), reloadZones].join('; ');
}

const reloadZones = 'firewall-cmd --reload';

function addToZone(zone: string | undefined, rule: string): string {
  return `firewall-cmd --permanent ${zone === undefined ? '' : `--zone=${zone} `}--add-rich-rule='${rule}'`;
}

/** At the head of the built-in chain: chains of others are rewritten by them. Several sources make a rule each. */
function iptablesCommand(at: ChainRef, { flow }: NeededFlow, sources: readonly string[]): string {
  const [program = ''] = tableWords(at).split(' ');
  const table = at.table === 'filter' ? '' : `-t ${at.table} `;
  const { protocol, ports } = flow;
  const to = ports === undefined ? '' : ` --dport ${[...new Set(ports)].join(':')}`;
  return `${program} ${table}-I ${at.chain} -s ${sources.join(',')} -p ${protocol}${to} -j ACCEPT`;
}

function nftPorts({ flow: { protocol, ports } }: NeededFlow): string {
  return ports === undefined
    ? `meta l4proto ${protocol}`
    : `${protocol} dport ${[...new Set(ports)].join('-')}`;
}
