import type { Fact } from '../engine/fact.ts';

/** When the node was looked at. */
export const nowFact: Fact<Date> = {
  id: 'now',
  gather: ({ host }) => Promise.resolve(host.now()),
};
