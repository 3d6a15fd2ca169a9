import { DoctorError } from '../doctor-error.ts';
import type { Fact } from '../engine/fact.ts';

/**
 * UFW as its files say. `ufw status` is not asked: it lists rules with `iptables -L`, which registers
 * tables that are not there.
 */
export type Ufw =
  | { readonly kind: 'absent' }
  | { readonly kind: 'inactive' }
  | {
      readonly kind: 'active';
      readonly defaults: {
        readonly incoming: UfwPolicy;
        readonly outgoing: UfwPolicy;
        readonly routed: UfwPolicy;
      };
      readonly ipv6: boolean;
      /** In UFW's order, IPv4 then IPv6. */
      readonly rules: readonly UfwRule[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type UfwPolicy = 'allow' | 'deny' | 'reject';

/** One `### tuple ###` of user.rules or user6.rules. */
export interface UfwRule {
  readonly family: 'ipv4' | 'ipv6';
  /** True of a `ufw route ...` rule. */
  readonly route: boolean;
  readonly action: 'allow' | 'deny' | 'reject' | 'limit';
  readonly direction: 'in' | 'out';
  readonly protocol: string;
  /** `any` or as UFW writes it: `22`, `80,443`, `60000:61000`. */
  readonly destinationPort: string;
  readonly destination: string;
  readonly sourcePort: string;
  readonly source: string;
  readonly inLink: string | undefined;
  readonly outLink: string | undefined;
  readonly comment: string;
}

export const ufwFact: Fact<Ufw> = {
  id: 'ufw',
  gather() {
    throw new DoctorError('undetermined', 'not built yet');
  },
};
