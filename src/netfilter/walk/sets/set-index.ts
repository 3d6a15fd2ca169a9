import { prefixLength } from '../addresses.ts';
import { type Answer, type Doubt, every, unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { IpSet } from '../reading.ts';
import { type Part, type PartKind, partsOfType, readPart } from './set-parts.ts';
import { setPortOf } from './set-port.ts';

/** The elements of a set, ready to be looked up. */
export interface SetIndex {
  has(flight: Flight, directions: readonly string[]): Answer;
}

interface Element {
  readonly parts: readonly Part[];
  /** `nomatch`: what it covers is not in the set. */
  readonly isIn: boolean;
}

/** Elements whose networks have the same masks: one look at the map answers for all of them. */
interface Group {
  readonly masks: readonly (Uint8Array | undefined)[];
  readonly elements: Element[];
  readonly isIn: Map<string, boolean>;
}

export function createSetIndex(set: IpSet): SetIndex {
  const kinds = partsOfType(set.type);
  if (!kinds) return opaqueSet(`sets of type ${set.type} are not understood`);
  const [netmask, bitmask] = ['netmask', 'bitmask'].map((name) => optionOf(set, name));
  const elements: Element[] = [];
  for (const [text = '', ...words] of set.entries) {
    const context = {
      family: set.family,
      netmask: netmask ?? bitmask,
      isWildcard: words.includes('wildcard'),
    };
    const texts = splitElement(text, kinds);
    const parts = texts.flatMap((part, i) => readPart(kinds[i] ?? 'mac', part, context) ?? []);
    if (parts.length !== kinds.length)
      return opaqueSet(`element ${text} of set ${set.name} is not understood`);
    elements.push({ parts, isIn: !words.includes('nomatch') });
  }
  const groups = groupByMasks(elements);
  return {
    has(flight, directions) {
      if (directions.length < kinds.length || !isOfFamily(set, kinds, flight)) return false;
      const values = kinds.map((kind, i) => partOf(kind, directions[i] === 'src', flight, set));
      if (values.includes(false)) return false;
      const known = values.filter((value) => typeof value === 'string' || value instanceof Uint8Array);
      if (kinds.includes('iface')) return compareByNetwork(groups, values, set.name);
      if (known.length === kinds.length) return lookUp(groups, known);
      return compareAll(
        groups.flatMap((group) => group.elements),
        values,
        set.name,
      );
    },
  };
}

function opaqueSet(reason: string): SetIndex {
  const doubt = unknown(reason);
  return { has: () => doubt };
}

function optionOf({ options }: IpSet, name: string): string | undefined {
  const at = options.indexOf(name);
  return at === -1 ? undefined : options[at + 1];
}

/** `bitmap:ip,mac` may leave the MAC out. */
function splitElement(text: string, kinds: readonly PartKind[]): readonly string[] {
  const texts = text.split(',');
  return kinds.length === 2 && kinds[1] === 'mac' && texts.length === 1 ? [...texts, ''] : texts;
}

/** Types without addresses are for both families. */
function isOfFamily({ family }: IpSet, kinds: readonly PartKind[], { packet }: Flight): boolean {
  return packet.family === family || !(kinds.includes('ip') || kinds.includes('net'));
}

type PartValue = Uint8Array | string | false | Doubt;

const unknownMac = unknown('the MAC address of the sender is not known');
const unknownLink = unknown('the link of the packet is not known');

function partOf(kind: PartKind, isSource: boolean, flight: Flight, set: IpSet): PartValue {
  switch (kind) {
    case 'ip':
    case 'net':
      return isSource ? flight.source : flight.destination;
    case 'port':
      return setPortOf(flight, isSource ? 'source' : 'destination', set.type.startsWith('bitmap:')) || false;
    case 'mark':
      return `${(flight.mark & Number(optionOf(set, 'markmask') ?? 0xffffffff)) >>> 0}`;
    case 'iface': {
      const { inLink, outLink, inLinkUnknown, outLinkUnknown } = flight;
      if (isSource ? inLinkUnknown : outLinkUnknown) return unknownLink;
      return (isSource ? inLink : outLink) ?? false;
    }
    case 'mac':
      return flight.original.origin.kind === 'process' ? false : unknownMac;
  }
}

/** In the order in which the kernel looks: the longest prefixes first, the first part counts most. */
function groupByMasks(elements: readonly Element[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const element of elements) {
    const masks = element.parts.map((part) => (part.kind === 'address' ? part.network.mask : undefined));
    const key = masks.map((mask) => mask?.join('.')).join();
    const group: Group = groups.get(key) ?? { masks, elements: [], isIn: new Map() };
    groups.set(key, group);
    group.elements.push(element);
    group.isIn.set(element.parts.map(keyOfPart).join(), element.isIn);
  }
  return [...groups.values()].sort((a, b) => {
    const [mine, other] = [lengthsOf(a), lengthsOf(b)];
    const at = mine.findIndex((length, i) => length !== other[i]);
    return at === -1 ? 0 : (other[at] ?? 0) - (mine[at] ?? 0);
  });
}

function lengthsOf({ elements: [first] }: Group): readonly number[] {
  return (first?.parts ?? []).map((part) =>
    part.kind === 'address' ? (prefixLength(part.network) ?? 0) : 0,
  );
}

function keyOfPart(part: Part): string {
  if (part.kind === 'address') return part.network.address.join('.');
  return 'text' in part ? part.text : '';
}

function lookUp(groups: readonly Group[], values: readonly (Uint8Array | string)[]): boolean {
  for (const { masks, isIn } of groups) {
    const key = values.map((value, i) => {
      const mask = masks[i];
      return typeof value === 'string' ? value : value.map((byte, j) => byte & (mask?.[j] ?? 255)).join('.');
    });
    const found = isIn.get(key.join());
    if (found !== undefined) return found;
  }
  return false;
}

/** Where not all is known. The elements are in the order in which the kernel looks for them. */
function compareAll(elements: readonly Element[], values: readonly PartValue[], name: string): Answer {
  const doubtful: { readonly isIn: boolean; readonly doubt: Doubt }[] = [];
  for (const { parts, isIn } of elements) {
    const answer = every(parts.map((part, i) => comparePart(part, values[i] ?? false, name)));
    if (answer === true) return doubtful.find((each) => each.isIn !== isIn)?.doubt ?? isIn;
    if (answer !== false) doubtful.push({ isIn, doubt: answer });
  }
  return doubtful.find(({ isIn }) => isIn)?.doubt ?? false;
}

/**
 * Of networks and links: the kernel looks no further than the longest prefix of which some element has
 * the network, whatever its link.
 */
function compareByNetwork(groups: readonly Group[], values: readonly PartValue[], name: string): Answer {
  for (const { elements } of groups) {
    const here = elements.filter(({ parts: [network] }) => {
      return network && comparePart(network, values[0] ?? false, name) === true;
    });
    const answers = here.map(({ parts, isIn }) => {
      const answer = every(parts.map((part, i) => comparePart(part, values[i] ?? false, name)));
      return answer === true ? { isIn } : answer;
    });
    const found = answers.find((answer) => answer !== false);
    if (found) return 'isIn' in found ? found.isIn : found;
    if (here.length > 0) return false;
  }
  return false;
}

function comparePart(part: Part, value: PartValue, name: string): Answer {
  if (value === false || (typeof value === 'object' && !(value instanceof Uint8Array))) return value;
  if (part.kind === 'opaque') return unknown(`set ${name} has MAC addresses or ports of bridges`);
  if (part.kind === 'beginning') return typeof value === 'string' && value.startsWith(part.text);
  if (part.kind === 'text') return part.text === value;
  const { address, mask } = part.network;
  return (
    value instanceof Uint8Array && address.every((byte, i) => byte === ((value[i] ?? 0) & (mask[i] ?? 0)))
  );
}
