import type { Fact } from '../engine/fact.ts';
import { hasKernelModule } from './kernel-module.ts';

/** Whether the kernel has nf_tables now. Even a listing loads it where it is a module. */
export const nfTablesLoadedFact: Fact<boolean> = {
  id: 'nf-tables-loaded',
  gather: ({ host }) => hasKernelModule(host, 'nf_tables'),
};
