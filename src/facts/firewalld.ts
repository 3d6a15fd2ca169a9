import type { Fact } from '../engine/fact.ts';

/** Whether firewalld runs: only then firewall-cmd changes what the kernel does. */
export const firewalldFact: Fact<boolean> = {
  id: 'firewalld',
  async gather({ host }) {
    const processes = await host.listProcesses();
    return processes.some(({ name }) => name === 'firewalld');
  },
};
