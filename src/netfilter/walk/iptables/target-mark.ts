import type { Jump, Option } from '../../rule.ts';
import { unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import { hasConnection } from './match-conntrack.ts';
import { readMasked } from './ranges.ts';
import { anything, changed, goOn, type Target } from './target.ts';

type Change = (mark: number) => number;

export function markTarget({ options, target }: Jump): Target {
  const [option] = options;
  const change = option && options.length === 1 ? readChange(option) : undefined;
  if (!change) return anything(unknown(`target ${target} is not understood`));
  return (flight) => withMark(flight, change(flight.mark));
}

/** Of the connection, or between it and the packet. Does nothing where there is no connection. */
export function connmarkTarget({ options, target }: Jump): Target {
  const change = readConnmark(options);
  if (!change) return anything(unknown(`target ${target} is not understood`));
  return (flight, at) => (hasConnection(flight, at) ? change(flight) : goOn(flight, at));
}

function withMark(flight: Flight, mark: number) {
  const after = mark === flight.mark ? flight : { ...flight, mark };
  return changed(flight, after, `mark 0x${mark.toString(16)}`);
}

function withConnectionMark(flight: Flight, connectionMark: number) {
  const after = connectionMark === flight.connectionMark ? flight : { ...flight, connectionMark };
  return changed(flight, after, `connection mark 0x${connectionMark.toString(16)}`);
}

function readChange({ name, values: [text = ''] }: Option): Change | undefined {
  const given = readMasked(text);
  if (!given) return undefined;
  const { value, mask } = given;
  switch (name) {
    case '--set-xmark':
      return (now) => ((now & ~mask) ^ value) >>> 0;
    case '--set-mark':
      return (now) => ((now & ~(mask | value)) ^ value) >>> 0;
    case '--and-mark':
      return (now) => (now & value) >>> 0;
    case '--or-mark':
      return (now) => (now | value) >>> 0;
    case '--xor-mark':
      return (now) => (now ^ value) >>> 0;
    default:
      return undefined;
  }
}

function readConnmark(options: readonly Option[]) {
  const [first, ...more] = options;
  if (!first) return undefined;
  const masks = readMasks(more);
  if (!masks) return undefined;
  const { nfmask, ctmask } = masks;
  switch (first.name) {
    case '--save-mark':
      return (flight: Flight) =>
        withConnectionMark(flight, ((flight.connectionMark & ~ctmask) ^ (flight.mark & nfmask)) >>> 0);
    case '--restore-mark':
      return (flight: Flight) =>
        withMark(flight, ((flight.mark & ~nfmask) ^ (flight.connectionMark & ctmask)) >>> 0);
    default: {
      const change = more.length === 0 ? readChange(first) : undefined;
      return change && ((flight: Flight) => withConnectionMark(flight, change(flight.connectionMark)));
    }
  }
}

function readMasks(options: readonly Option[]): { nfmask: number; ctmask: number } | undefined {
  const masks = { nfmask: 0xffffffff, ctmask: 0xffffffff };
  for (const { name, values } of options) {
    const mask = Number(values[0]) >>> 0;
    if (name === '--nfmask' || name === '--mask') masks.nfmask = mask;
    if (name === '--ctmask' || name === '--mask') masks.ctmask = mask;
    if (!['--nfmask', '--ctmask', '--mask'].includes(name)) return undefined;
  }
  return masks;
}
