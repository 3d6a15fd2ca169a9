import type { Hook } from '../../../src/netfilter/walk/flight.ts';
import { readNftRuleset } from '../../../src/netfilter/walk/nft/ruleset.ts';
import type { Place } from '../node/create-place.ts';
import { type Condition, conditions, sets } from './conditions.ts';
import type { Places, Sent } from './packets.ts';

/** A chain of conditions, each with a counter behind it. `raw`: before conntrack. */
export interface Post {
  readonly name: string;
  readonly hook: Hook;
  readonly priority: number;
}

export const posts: readonly Post[] = [
  { name: 'raw_prerouting', hook: 'prerouting', priority: -300 },
  { name: 'raw_output', hook: 'output', priority: -300 },
  ...(['prerouting', 'input', 'forward', 'output', 'postrouting'] as const).map((hook) => ({
    name: hook,
    hook,
    priority: 0,
  })),
];

export function conditionsAt({ hook }: Post): readonly Condition[] {
  return conditions.filter(({ hooks }) => hooks?.includes(hook) ?? true);
}

/** What nft lists when the packet has been through: the table, with what each condition counted. */
export async function askKernel(places: Places, sent: Sent) {
  const { node } = places;
  await node.run(['nft', '-f', '-'], { input: rules(sent) });
  await node.exec(['conntrack', '-F']);
  await sent.before?.(places);
  await sent.send(places);
  const { nftables } = JSON.parse(await node.run(['nft', '-j', 'list', 'ruleset']));
  const table = readNftRuleset(nftables).tables.find(({ name }) => name === 'asked');
  if (!table) throw new Error('the table is gone');
  return table;
}

function rules({ filter, ledTo }: Sent): string {
  const nat = `table ip led {
  chain prerouting { type nat hook prerouting priority -100; ${filter} dnat to ${ledTo}; }
}`;
  return `flush ruleset
table inet asked {
${sets}
${posts.map(chains).join('\n')}
}
${ledTo === undefined ? '' : nat}
`;

  function chains(post: Post): string {
    const { name, hook, priority } = post;
    return `
  chain ${name} {
    ${conditionsAt(post)
      .map(({ text }) => `${text} counter`)
      .join('\n    ')}
  }
  chain base_${name} { type filter hook ${hook} priority ${priority}; ${filter} jump ${name}; }`;
  }
}

/** The neighbours are known, so that no other packet is on its way. */
export async function greet({ node, client }: Places): Promise<void> {
  const greetings: readonly (readonly [Place, string])[] = [
    [node, '192.168.60.2'],
    [node, 'fd00:60::2'],
    [client, '10.42.0.9'],
    [client, 'fd00:42::9'],
  ];
  await Promise.all(greetings.map(([from, to]) => from.exec(['ping', '-c', '1', '-W', '2', to])));
}
