/** checks/: one folder a check. Checks do not import each other; this list is all that knows them all. */
import type { Check } from '../engine/check.ts';
import { corednsHealth } from './coredns-health/check.ts';
import { corednsPlacement } from './coredns-placement/check.ts';
import { dnsForwarders } from './dns-forwarders/check.ts';
import { essentialFlows } from './essential-flows/check.ts';
import { flannelVtep } from './flannel-vtep/check.ts';
import { forwardRules } from './forward-rules/check.ts';
import { hostDns } from './host-dns/check.ts';
import { iptablesGhosts } from './iptables-ghosts/check.ts';
import { ufwOverlay } from './ufw-overlay/check.ts';
import { worldOpen } from './world-open/check.ts';

/** In the order in which they are told, and repaired: ghosts first, they would catch what the others let through. */
export const checks: readonly Check[] = [
  iptablesGhosts,
  forwardRules,
  ufwOverlay,
  worldOpen,
  flannelVtep,
  essentialFlows,
  corednsPlacement,
  dnsForwarders,
  corednsHealth,
  hostDns,
];
