/** checks/: one folder a check. Checks do not import each other; this list is all that knows them all. */
import type { CheckId } from '../config/config.ts';
import type { Check } from '../engine/check.ts';

/**
 * In the order in which they are told, and repaired: ghosts first, they would catch what the others let
 * through. Each is loaded when it is asked for, so that a timer that runs one does not load them all.
 */
const loaders: Readonly<Record<CheckId, () => Promise<Check>>> = {
  'iptables-ghosts': async () => (await import('./iptables-ghosts/check.ts')).iptablesGhosts,
  'forward-rules': async () => (await import('./forward-rules/check.ts')).forwardRules,
  'ufw-overlay': async () => (await import('./ufw-overlay/check.ts')).ufwOverlay,
  'world-open': async () => (await import('./world-open/check.ts')).worldOpen,
  'flannel-vtep': async () => (await import('./flannel-vtep/check.ts')).flannelVtep,
  'essential-flows': async () => (await import('./essential-flows/check.ts')).essentialFlows,
  'coredns-placement': async () => (await import('./coredns-placement/check.ts')).corednsPlacement,
  'dns-forwarders': async () => (await import('./dns-forwarders/check.ts')).dnsForwarders,
  'coredns-health': async () => (await import('./coredns-health/check.ts')).corednsHealth,
  'host-dns': async () => (await import('./host-dns/check.ts')).hostDns,
};

export function isCheckId(id: string): id is CheckId {
  return Object.hasOwn(loaders, id);
}

export const checkIds: readonly CheckId[] = Object.keys(loaders).filter(isCheckId);

export function loadChecks(ids: readonly CheckId[] = checkIds): Promise<readonly Check[]> {
  return Promise.all(ids.map((id) => loaders[id]()));
}
