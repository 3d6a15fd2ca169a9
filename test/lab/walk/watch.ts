/**
 * A table of our own that looks on: behind all rules it notes which packets came so far, and before
 * all rules which errors the node sends. Its sets are asked when all packets are through.
 *
 * Frames are told by the number in their header, which no translation changes; for that it is put
 * where a priority is, when the packet needs none any more. What the node makes is told by the port
 * that it was sent from.
 */
import { marks } from './world.ts';

export const watchTable = 'k3s_doctor_oracle';

const last = 2_147_483_646;
const first = -2_147_483_000;
/** On all that the node makes. */
const madeHere = 'abcd:1';

export const ends = ['in', 'post'] as const;
export type WatchedEnd = (typeof ends)[number];

const ipWords = {
  ipv4: { ip: 'ip', address: 'ipv4_addr', number: '@nh,32,32' },
  ipv6: { ip: 'ip6', address: 'ipv6_addr', number: '@nh,0,32' },
} as const;
/** Four bytes as they are in a packet. */
const wordSets = ['reset_sequence', 'reset_acknowledged', 'error_number', 'error_ports'];
const kinds = {
  frame: 'classid',
  tcp: 'inet_service',
  udp: 'inet_service',
  udp_answer: 'inet_service',
} as const;

/** Text for `nft -f`. Replaces the table, so that nothing is noted yet. */
export function watchScript(): string {
  const sets = ends.flatMap((end) =>
    Object.entries(ipWords).flatMap(([family, { address }]) =>
      Object.entries(kinds).flatMap(([kind, key]) => [
        set(`${end}_${family}_${kind}_addresses`, `${key} . ${address} . ${address}`),
        set(`${end}_${family}_${kind}_ports`, `${key} . inet_service . inet_service`),
        set(`${end}_${family}_${kind}_rest`, `${key} . mark . iface_index`),
      ]),
    ),
  );
  return `
table inet ${watchTable}
delete table inet ${watchTable}
table inet ${watchTable} {
  ${sets.join('\n  ')}
  ${wordSets.map((name) => set(name, 'mark')).join('\n  ')}
  ${set('reset_port', 'inet_service')}
  chain before {
    type filter hook prerouting priority ${first};
    ${frameMarks()}
  }
  chain before_out {
    type filter hook output priority ${first};
    meta priority set ${madeHere}
    tcp flags & rst == rst add @reset_sequence { @th,32,32 } add @reset_acknowledged { @th,64,32 } add @reset_port { tcp dport }
    icmp type destination-unreachable oifname != "lo" add @error_number { @th,96,32 }
    icmp type destination-unreachable oifname "lo" add @error_ports { @th,224,32 }
    icmpv6 type destination-unreachable oifname != "lo" add @error_number { @th,64,32 }
    icmpv6 type destination-unreachable oifname "lo" add @error_ports { @th,384,32 }
    meta l4proto { tcp, udp } th sport ${markedPorts.first}-${markedPorts.last} meta mark set ${markedPorts.mark}
  }
  chain in {
    type filter hook input priority ${last};
    ${notes('in', 'iif')}
  }
  chain post {
    type filter hook postrouting priority ${last};
    ${notes('post', 'oif')}
  }
}
`;
}

/** Packets that the node makes from these ports carry a mark. */
export const markedPorts = { first: 61_000, last: 61_999, mark: 0x4000 } as const;

/** A frame's number: 14 bits of its own, below two that choose the mark it carries. */
export function frameNumber(own: number, mark: number): number {
  const index = marks.indexOf(mark);
  if (index === -1) throw new RangeError(`no frame carries mark ${mark}`);
  return (index << 14) | own;
}

function set(name: string, type: string): string {
  return `set ${name} { type ${type}; flags dynamic; size 4096; }`;
}

function frameMarks(): string {
  return marks
    .flatMap((mark, index) => {
      if (mark === 0) return [];
      const range = `0x${(index << 14).toString(16)}-0x${((index << 14) | 0x3fff).toString(16)}`;
      return [
        `iifname != "lo" meta nfproto ipv4 ip id ${range} meta mark set ${mark}`,
        `iifname != "lo" meta nfproto ipv6 @nh,16,16 ${range} meta mark set ${mark}`,
      ];
    })
    .join('\n    ');
}

function notes(end: WatchedEnd, link: 'iif' | 'oif'): string {
  return Object.entries(ipWords)
    .flatMap(([family, { ip, number }]) => {
      const note = (kind: keyof typeof kinds, key: string) =>
        [
          `add @${end}_${family}_${kind}_addresses { ${key} . ${ip} saddr . ${ip} daddr }`,
          `add @${end}_${family}_${kind}_ports { ${key} . th sport . th dport }`,
          `add @${end}_${family}_${kind}_rest { ${key} . meta mark . meta ${link} }`,
        ].join(' ');
      const whose = `meta nfproto ${family} meta priority`;
      const local = (['tcp', 'udp'] as const).flatMap((kind) => {
        // Whatever else there is in a connection of TCP is none of the packets asked for.
        const first = kind === 'tcp' ? 'tcp flags & (syn | ack | rst) == syn ' : '';
        const from = `${whose} ${madeHere} meta l4proto ${kind} ${first}ct state`;
        const known = `${from} new,established ct direction`;
        return [
          `${known} original ${note(kind, 'ct original proto-src')}`,
          ...(kind === 'udp' ? [`${known} reply ${note('udp_answer', 'ct original proto-src')}`] : []),
          `${from} untracked ${note(kind, `${kind} sport`)}`,
        ];
      });
      return [
        ...local,
        `${whose} != ${madeHere} meta priority set ${number} ${note('frame', 'meta priority')}`,
      ];
    })
    .join('\n    ');
}

/** Text for `nft -f`: nothing has been seen yet. */
export function forgetSightings(): string {
  const names = ends.flatMap((end) =>
    Object.keys(ipWords).flatMap((family) =>
      Object.keys(kinds).flatMap((kind) =>
        ['addresses', 'ports', 'rest'].map((part) => `${end}_${family}_${kind}_${part}`),
      ),
    ),
  );
  return [...names, ...wordSets, 'reset_port']
    .map((name) => `flush set inet ${watchTable} ${name}`)
    .join('\n');
}
