/** checks/: one folder a check. Checks do not import each other; this list is all that knows them all. */
import type { Check } from '../engine/check.ts';
import { iptablesGhosts } from './iptables-ghosts/check.ts';

export const checks: readonly Check[] = [iptablesGhosts];
