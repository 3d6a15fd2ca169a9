import type { Fact } from '../engine/fact.ts';

/**
 * Whether the kernel has nf_tables now. Even a listing loads it where it is a module, so nothing may
 * ask nft anything before this is known. Where it cannot be told, it is taken to be there.
 */
export const nfTablesLoadedFact: Fact<boolean> = {
  id: 'nf-tables-loaded',
  async gather({ host }) {
    const modules = await host.readFile('/proc/modules');
    if (modules.kind !== 'read' || modules.text === '' || /^nf_tables /m.test(modules.text)) return true;
    const release = await host.readFile('/proc/sys/kernel/osrelease');
    if (release.kind !== 'read') return true;
    const builtIn = await host.readFile(`/lib/modules/${release.text.trim()}/modules.builtin`);
    return builtIn.kind !== 'read' || builtIn.text.includes('/nf_tables.ko');
  },
};
