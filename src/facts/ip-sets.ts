import type { Fact, FactContext } from '../engine/fact.ts';
import { backends, families } from '../netfilter/ruleset.ts';
import type { SetsReadingState } from '../netfilter/walk/reading.ts';
import { iptablesFact } from './iptables.ts';
import { hasKernelModule } from './kernel-module.ts';

/** The sets of ipset(8), asked for only where a rule matches one: to list them loads ip_set. */
export const ipSetsFact: Fact<SetsReadingState> = {
  id: 'ip-sets',
  async gather(context) {
    if (!(await areUsed(context))) return { kind: 'absent' };
    if (!(await hasKernelModule(context.host, 'ip_set'))) return { kind: 'absent' };
    return { kind: 'unknown', reason: 'not built yet' };
  },
};

async function areUsed({ get }: FactContext): Promise<boolean> {
  const iptables = await get(iptablesFact);
  return backends.some((backend) =>
    families.some((family) => {
      const dump = iptables[backend][family];
      return dump.kind === 'present' && dump.ruleset.text.includes(' --match-set ');
    }),
  );
}
