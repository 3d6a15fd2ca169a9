import { z } from 'zod';
import type { Family } from '../../../src/netfilter/ruleset.ts';
import { runTool } from './laboratory.ts';
import type { Frame, Probe } from './probe.ts';
import { placeOf } from './random-way.ts';
import { findReset, numberOf } from './read-frame.ts';
import { type WatchedEnd, watchTable } from './watch.ts';
import { linkOf, type Wire, wires } from './world.ts';

/** What became of a packet, as the kernel has it. */
export interface Sighting {
  /** `vanished`: no rule stopped it, and yet it did not come out. */
  readonly fate: 'in' | 'out' | 'rejected' | 'reset' | 'lost' | 'vanished';
  /** As it was at the end; undefined where it was stopped. */
  readonly at: Seen | undefined;
}

export interface Seen {
  readonly source: string;
  readonly destination: string;
  /** The first four bytes behind the IP header. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly mark: number;
  readonly link: string;
}

export interface Sightings {
  of(probe: Probe): Sighting;
}

const element = z.union([
  z.number(),
  z.string(),
  z.object({ concat: z.array(z.union([z.number(), z.string()])) }),
]);
const listing = z.object({
  nftables: z.array(
    z.object({ set: z.object({ name: z.string(), elem: z.array(element).optional() }).optional() }),
  ),
});

/** Asks the watching table, and looks at what came back. */
export async function readSightings(back: readonly Frame[]): Promise<Sightings> {
  const { nftables } = listing.parse(
    JSON.parse(await runTool(['nft', '-j', 'list', 'table', 'inet', watchTable])),
  );
  const notes = new Map<string, readonly (string | number)[]>();
  const words = new Map<string, Set<number>>();
  for (const { set } of nftables) {
    for (const each of set?.elem ?? []) {
      if (set === undefined) continue;
      if (typeof each === 'object') notes.set(`${set.name} ${each.concat[0]}`, each.concat.slice(1));
      else words.set(set.name, (words.get(set.name) ?? new Set()).add(Number(each)));
    }
  }
  // A reset for what came over a bridge's port goes out there, past all hooks.
  words.set('reset_seen', new Set(back.flatMap(findReset)));
  const came = new Set(
    back.map((frame) => `${linkOf(wireNames.get(frame[0]) ?? 'eth0')} ${numberOf(frame)}`),
  );
  return {
    of: (probe) => {
      const found = sighting(notes, words, probe);
      if (found.fate !== 'out' || probe.send.kind !== 'frame' || isNobody(found.at)) return found;
      const hasCome = came.has(`${found.at?.link} ${headerWord(probe.packet.family, probe.number)}`);
      return hasCome ? found : { ...found, fate: 'vanished' };
    },
  };
}

/** Behind the bridge only those that there are get anything. */
function isNobody(at: Seen | undefined): boolean {
  return at?.link === 'cni0' && !placeOf(at.destination).wire.startsWith('veth');
}

const wireNames = new Map<number, Wire>(Object.entries(wires).map(([name, id]) => [id, name as Wire]));

type Notes = ReadonlyMap<string, readonly (string | number)[]>;
type Words = ReadonlyMap<string, ReadonlySet<number>>;

function sighting(notes: Notes, words: Words, probe: Probe): Sighting {
  const inside = seen(notes, 'in', probe);
  if (inside) return { fate: 'in', at: inside };
  const outside = seen(notes, 'post', probe);
  if (outside && outside.link !== 'lo') return { fate: 'out', at: outside };
  if (wasReset(words, probe)) return { fate: 'reset', at: undefined };
  return { fate: wasRefused(words, probe) ? 'rejected' : 'lost', at: undefined };
}

function seen(notes: Notes, end: WatchedEnd, { packet: { family }, send, number }: Probe): Seen | undefined {
  if (send.kind === 'frame') return noted(notes, `${end}_${family}_frame`, classId(family, number));
  const { protocol, sourcePort } = send.order;
  if (!send.isAnswer) return noted(notes, `${end}_${family}_${protocol}`, `${number}`);
  // Without a connection it is known by its own port.
  return (
    noted(notes, `${end}_${family}_udp_answer`, `${number}`) ??
    noted(notes, `${end}_${family}_udp`, `${sourcePort}`)
  );
}

function noted(notes: Notes, where: string, key: string): Seen | undefined {
  const part = (name: string) => notes.get(`${where}_${name} ${key}`);
  const [addresses, ports, rest] = [part('addresses'), part('ports'), part('rest')];
  if (!addresses || !ports || !rest) return undefined;
  return {
    source: String(addresses[0]),
    destination: String(addresses[1]),
    sourcePort: Number(ports[0]),
    destinationPort: Number(ports[1]),
    mark: Number(rest[0]),
    link: String(rest[1]),
  };
}

/** A word of the header that has the number in it, as nft prints a priority: its bytes come turned. */
function classId(family: Family, number: number): string {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(headerWord(family, number));
  return `${word.readUInt16LE(2).toString(16)}:${word.readUInt16LE(0).toString(16)}`;
}

/** IPv4: the identification, and "don't fragment". IPv6: the version and the flow label. */
function headerWord(family: Family, number: number): number {
  return family === 'ipv4' ? number * 0x10000 + 0x4000 : 0x60000000 + number;
}

function wasReset(words: Words, { packet, send, number }: Probe): boolean {
  if (packet.transport.protocol !== 'tcp') return false;
  if (send.kind === 'made') return words.get('reset_port')?.has(number) ?? false;
  if (words.get('reset_seen')?.has(number)) return true;
  return [...(words.get('reset_sequence') ?? []), ...(words.get('reset_acknowledged') ?? [])].some(
    (word) => bigEndian(word) >>> 16 === number,
  );
}

function wasRefused(words: Words, { packet, send, number }: Probe): boolean {
  if (send.kind === 'frame') {
    return [...(words.get('error_number') ?? [])].some(
      (word) => bigEndian(word) === headerWord(packet.family, number),
    );
  }
  // The destination's port may have been translated.
  return [...(words.get('error_ports') ?? [])].some(
    (word) => bigEndian(word) >>> 16 === send.order.sourcePort,
  );
}

function bigEndian(word: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word >>> 0);
  return bytes.readUInt32BE();
}
