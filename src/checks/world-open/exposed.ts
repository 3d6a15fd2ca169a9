import type { NeededFlow } from '../../facts/flow.ts';
import type { Ufw } from '../../facts/ufw.ts';
import type { ClusterPort } from './cluster-ports.ts';
import type { FrontDoor } from './front-doors.ts';
import type { Exposure } from './walk-strangers.ts';

/** A port that strangers get to, and what is known about closing it. */
export interface Exposed {
  readonly port: ClusterPort;
  readonly door: FrontDoor;
  readonly exposure: Exposure & { kind: 'open' };
  /** What hosts of the cluster send to this node. */
  readonly needed: readonly NeededFlow[];
  readonly ufw: Ufw;
  readonly firewalld: boolean;
}
