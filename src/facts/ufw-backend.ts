import type { Fact } from '../engine/fact.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import { ufwFact } from './ufw.ts';

/** The backend that an active UFW writes to: that of the system's own `iptables`. Undefined: not known. */
export type UfwBackend = Readonly<Record<Family, Backend | undefined>>;

export const ufwBackendFact: Fact<UfwBackend> = {
  id: 'ufw-backend',
  async gather({ host, config, get }) {
    if ((await get(ufwFact)).kind !== 'active') return { ipv4: undefined, ipv6: undefined };
    const [ipv4, ipv6] = await Promise.all([ask('iptables'), ask('ip6tables')]);
    return { ipv4, ipv6 };

    async function ask(tool: 'iptables' | 'ip6tables'): Promise<Backend | undefined> {
      const { commandTimeoutMs: timeoutMs } = config;
      const result = await host.run({ tool, args: ['--version'], timeoutMs });
      if (result.kind !== 'exited' || result.exitCode !== 0) return undefined;
      if (result.stdout.includes('nf_tables')) return 'nft';
      // Before 1.8 there was one backend, and its name was not printed.
      return /legacy|^iptables v1\.[0-7]\./.test(result.stdout) ? 'legacy' : undefined;
    }
  },
};
