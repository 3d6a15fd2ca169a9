import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';
import type { Firewall } from '../netfilter/walk/firewall.ts';

/** All the rules of this node, ready to walk packets through. What could not be read makes walks `unknown`. */
export const firewallFact: Fact<Firewall> = {
  id: 'firewall',
  gather() {
    throw new DoctorError('undetermined', 'not built yet');
  },
};
