import { expect, test } from 'vitest';
import { chainOwner, serviceChainKind } from '../../src/netfilter/chain-owner.ts';

const hash = 'NPX46M4PTMTKRN6Y';

test.each([
  ['kube-proxy', ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ', 'KUBE-FORWARD']],
  ['kube-proxy', ['KUBE-EXTERNAL-SERVICES', 'KUBE-PROXY-FIREWALL', 'KUBE-PROXY-CANARY']],
  ['kube-proxy', ['SVC', 'SVL', 'SEP', 'EXT', 'FW', 'XLB'].map((kind) => `KUBE-${kind}-${hash}`)],
  ['kube-proxy', ['KUBE-NODE-PORT', 'KUBE-LOAD-BALANCER', 'KUBE-SOURCE-RANGES-FIREWALL']],
  ['kube-proxy', ['KUBE-IPVS-FILTER', 'KUBE-IPVS-OUT-FILTER']],
  ['kubelet', ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY', 'KUBE-FIREWALL', 'KUBE-MARK-DROP']],
  ['network-policy', ['KUBE-ROUTER-INPUT', 'KUBE-ROUTER-FORWARD', 'KUBE-ROUTER-OUTPUT', 'KUBE-NWPLCY-TAIL']],
  [
    'network-policy',
    [`KUBE-POD-FW-${hash}`, `KUBE-NWPLCY-${hash}`, 'KUBE-NWPLCY-DEFAULT', 'KUBE-NWPLCY-COMMON'],
  ],
  ['portmap-sandbox', ['CNI-DN-2340674fa9a846ba6cee5']],
  ['portmap', ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SNAT']],
] as const)('%s owns %s', (owner, names) => {
  for (const name of names) expect(chainOwner(name)).toBe(owner);
});

test.each([
  ['built-in chains', ['INPUT', 'FORWARD', 'OUTPUT', 'PREROUTING', 'POSTROUTING']],
  [
    'other tools',
    ['DOCKER', 'DOCKER-USER', 'DOCKER-ISOLATION-STAGE-1', 'cali-FORWARD', 'CILIUM_FORWARD', 'f2b-sshd'],
  ],
  ['ufw and firewalld', ['ufw-user-input', 'ufw-before-forward', 'IN_public', 'FWDI_public']],
  ['flannel', ['FLANNEL-FWD', 'FLANNEL-POSTRTG']],
  [
    'podman, nerdctl and buildkit',
    ['CNI-ADMIN', 'CNI-FORWARD', 'CNI-3a1f0c2b4d5e6f708192a3b4', 'NETAVARK-HOSTPORT-DNAT'],
  ],
  ['an earlier portmap', ['CNI-SN-2340674fa9a846ba6cee5']],
  ['the docker shim and the userspace proxy', ['KUBE-HOSTPORTS', `KUBE-HP-${hash}`, 'KUBE-PORTALS-HOST']],
  [
    'people who liked the prefix',
    ['KUBE-MY-RULES', 'KUBE-SVC-mine', 'KUBE-ALLOW-OFFICE', 'KUBE-NWPLCY-mine', 'KUBE-'],
  ],
  [
    'names that are nearly right',
    ['CNI-DN-2340674fa9a846ba6cee', 'CNI-DN-2340674FA9A846BA6CEE5', `KUBE-SVC-${hash}2`],
  ],
  [
    'names that are nearly right',
    [`XKUBE-SVC-${hash}`, 'KUBE-SVC-NPX46M4PTMTKRN61', 'KUBE-SERVICES2', 'kube-services'],
  ],
] as const)('chains of %s are foreign: %s', (_who, names) => {
  for (const name of names) expect(chainOwner(name)).toBeUndefined();
});

test('what a Service chain is for is in its name', () => {
  expect(serviceChainKind(`KUBE-SEP-${hash}`)).toBe('SEP');
  expect(serviceChainKind(`KUBE-XLB-${hash}`)).toBe('XLB');
  expect(serviceChainKind('KUBE-SERVICES')).toBeUndefined();
  expect(serviceChainKind(`KUBE-HP-${hash}`)).toBeUndefined();
});
