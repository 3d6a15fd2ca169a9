import type { Fact, FactContext } from '../engine/fact.ts';
import { backends, families } from '../netfilter/ruleset.ts';
import type { SetsReadingState } from '../netfilter/walk/reading.ts';
import { parseIpsetSave } from '../netfilter/walk/sets/parse-ipset-save.ts';
import { iptablesFact } from './iptables.ts';
import { hasKernelModule } from './kernel-module.ts';

/** The sets of ipset(8), asked for only where a rule matches one: to list them loads ip_set. */
export const ipSetsFact: Fact<SetsReadingState> = {
  id: 'ip-sets',
  async gather(context) {
    const { host, config } = context;
    if (!(await areUsed(context)) || !(await hasKernelModule(host, 'ip_set'))) return { kind: 'absent' };
    const timeoutMs = config.commandTimeoutMs;
    const result = await host.run({ tool: 'ipset', args: ['save'], timeoutMs });
    switch (result.kind) {
      case 'absent':
        return unknown('there is no ipset to list the sets with that rules match');
      case 'timeout':
        return unknown(`ipset save did not end within ${result.timeoutMs / 1000} s and was killed`);
      case 'failed-to-start':
        return unknown(`ipset could not be run: ${result.reason}`);
      case 'exited': {
        const said = result.stderr.trim().split('\n')[0]?.slice(0, 300) ?? '';
        if (result.exitCode !== 0)
          return unknown(`ipset save failed with exit code ${result.exitCode}: ${said}`);
        const sets = parseIpsetSave(result.stdout);
        return sets === undefined
          ? unknown('what ipset save printed cannot be read')
          : { kind: 'present', sets };
      }
    }
  },
};

async function areUsed({ get }: FactContext): Promise<boolean> {
  const iptables = await get(iptablesFact);
  return backends.some((backend) =>
    families.some((family) => {
      const dump = iptables[backend][family];
      return dump.kind === 'present' && / --(match|add|del|map)-set /.test(dump.ruleset.text);
    }),
  );
}

function unknown(reason: string): SetsReadingState {
  return { kind: 'unknown', reason };
}
