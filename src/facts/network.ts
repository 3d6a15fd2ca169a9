import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';
import type { NetworkReading } from '../netfilter/walk/reading.ts';

/** Links, addresses, routes and forwarding of this node. */
export const networkFact: Fact<NetworkReading> = {
  id: 'network',
  gather() {
    throw new DoctorError('undetermined', 'not built yet');
  },
};
