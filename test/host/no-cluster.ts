import type { ClusterDoor } from '../../src/host/live.ts';

const unavailable = { kind: 'unavailable', reason: 'none here' } as const;

/** For tests of a node that has no cluster. */
export const noCluster: ClusterDoor = {
  get: async () => unavailable,
  patch: async () => unavailable,
  apply: async () => unavailable,
  remove: async () => unavailable,
};
