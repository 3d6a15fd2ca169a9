import { type Answer, unknown } from '../answer.ts';
import type { NetworkReading } from '../reading.ts';

/** The links over which a packet may have come from another host; undefined: not known. */
export function inLinks({ links }: NetworkReading): readonly string[] | undefined {
  return links?.filter(({ loopback }) => !loopback).map(({ name }) => name);
}

export function outLinks({ links }: NetworkReading): readonly string[] | undefined {
  return links?.filter(({ loopback }) => !loopback).map(({ name }) => name);
}

/**
 * Whether the link is as the rule wants it: `eth0`, `veth+`. One of `links`, where it is not known
 * which; an undefined one is none, whose name is empty to the kernel.
 */
export function matchLink(pattern: string, links: readonly (string | undefined)[] | undefined): Answer {
  const isIt = (name = '') =>
    pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  if (!links || links.length === 0) {
    if (pattern === 'lo') return false;
    return pattern === '+' ? true : unknown(`whether the link is ${pattern} is not known`);
  }
  if (links.every(isIt)) return true;
  return links.some(isIt) ? unknown(`whether the link is ${pattern} is not known`) : false;
}
