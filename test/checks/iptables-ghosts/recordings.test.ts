import { beforeEach, describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/check.ts';
import {
  conntrackIn,
  diagnose,
  findingAt,
  hostPortGhost,
  legacyThenNft,
  removalsIn,
  stepsOf,
  tablesIn,
} from './diagnose.ts';

test.each([
  ['hostport-ghost-legacy-first/1-old-alive', 'ok'],
  ['hostport-ghost-legacy-first/2-ghost', 'findings'],
  ['hostport-ghost-legacy-first/3-healed', 'ok'],
  ['hostport-ghost-nft-first/1-old-alive', 'ok'],
  ['hostport-ghost-nft-first/2-ghost', 'findings'],
  ['hostport-ghost-nft-first/3-healed', 'ok'],
  ['portmap-hostport-lifecycle/0-empty', 'skipped'],
  ['portmap-hostport-lifecycle/1-after-add', 'findings'],
  ['portmap-hostport-lifecycle/2-after-del', 'ok'],
  ['kube-proxy-legacy-then-nft', 'findings'],
  ['kube-proxy-1.19-legacy-then-1.34-nft', 'findings'],
  ['kube-proxy-1.22-legacy-then-1.34-nft', 'findings'],
  ['kube-proxy-1.34-legacy-then-nftables-mode', 'unknown'],
  ['kube-proxy-1.36-nft-without-comments', 'unknown'],
  ['k3s-ufw-reject-with-legacy-ghosts', 'unknown'],
  ['matches-of-many-kinds', 'skipped'],
])('%s: %s', async (fixture, outcome) => {
  const diagnosis = await diagnose(fixture);
  expect(diagnosis.outcome).toBe(outcome);
  expect(diagnosis.findings.length > 0).toBe(outcome === 'findings');
  expect(stepsOf(diagnosis).length > 0).toBe(outcome === 'findings');
  expect(diagnosis.reasons.length > 0).toBe(outcome === 'unknown' || outcome === 'skipped');
});

describe('kube-proxy moved from legacy to nft, and the pods moved too', () => {
  let diagnosis: Diagnosis;
  beforeEach(async () => {
    diagnosis = await diagnose(legacyThenNft);
  });

  test('each address is told with its targets, what became of them, and where live rules send it', () => {
    expect(diagnosis.findings.map(({ effect, message }) => `${effect} ${message}`).sort()).toEqual([
      'idle *:31925/tcp default/lb → 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080 (nft)',
      'idle *:31986/tcp default/lb → 10.42.0.7:8443 live (legacy) · live: 10.42.0.7:8443 (nft)',
      'idle 10.43.0.1:443/tcp default/kubernetes → 10.99.0.1:6443 live (legacy) · live: 10.99.0.1:6443 (nft)',
      'idle 10.43.0.82:443/tcp default/lb → 10.42.0.7:8443 live (legacy) · live: 10.42.0.7:8443 (nft)',
      'idle 10.43.0.82:80/tcp default/lb → 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080 (nft)',
      'idle 10.43.0.83:80/tcp default/empty → rejected (legacy filter) · refused by live rules too (nft)',
      'idle 198.51.100.7:443/tcp default/lb → 10.42.0.7:8443 live (legacy) · live: 10.42.0.7:8443 (nft)',
      'idle 198.51.100.7:80/tcp default/lb → 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080 (nft)',
      'idle 198.51.100.9:443/tcp default/lb → 10.42.0.7:8443 live (legacy) · live: 10.42.0.7:8443 (nft)',
      'idle 198.51.100.9:443/tcp default/lb → dropped (legacy filter) · live rules translate it first (nft)',
      'idle 198.51.100.9:80/tcp default/lb → 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080 (nft)',
      'idle 198.51.100.9:80/tcp default/lb → dropped (legacy filter) · live rules translate it first (nft)',
      'idle ip6tables-legacy filter: 6 chains of kube-proxy or kubelet that nobody maintains',
      'idle ip6tables-legacy mangle: 1 chain of kube-proxy or kubelet that nobody maintains',
      'idle ip6tables-legacy nat: 5 chains of kube-proxy or kubelet that nobody maintains',
      'idle iptables-legacy filter: 6 chains of kube-proxy or kubelet that nobody maintains',
      'idle iptables-legacy mangle: 1 chain of kube-proxy or kubelet that nobody maintains',
      'idle iptables-legacy nat: 5 chains of kube-proxy or kubelet that nobody maintains',
      'may-mask *:30080/tcp default/web → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead (legacy) · live: 10.42.0.9:8080 (nft)',
      'may-mask 10.43.0.10:53/tcp kube-system/dns → 10.42.0.8:53 dead (legacy) · live: 10.42.0.10:53 (nft)',
      'may-mask 10.43.0.10:53/udp kube-system/dns → 10.42.0.8:53 dead (legacy) · live: 10.42.0.10:53 (nft)',
      'may-mask 10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead (legacy) · live: 10.42.0.9:8080 (nft)',
      'may-mask 10.43.0.81:80/tcp default/sticky → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead, 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080, 10.42.0.9:8080 (nft)',
    ]);
  });

  test('what hurts most comes first', () => {
    const effects = diagnosis.findings.map(({ effect }) => effect);
    expect(effects.lastIndexOf('may-mask')).toBeLessThan(effects.indexOf('idle'));
  });

  test('what does no harm now is a warning', () => {
    for (const { effect, severity } of diagnosis.findings)
      expect(severity).toBe(effect === 'idle' ? 'warning' : 'error');
  });

  test('every table of the legacy backend is cleaned in one step, both families, and nft is left alone', () => {
    expect(tablesIn(diagnosis)).toEqual([
      'legacy ipv4 filter',
      'legacy ipv4 mangle',
      'legacy ipv4 nat',
      'legacy ipv6 filter',
      'legacy ipv6 mangle',
      'legacy ipv6 nat',
    ]);
    expect(removalsIn(diagnosis).every(({ ownersWrite }) => !ownersWrite)).toBe(true);
    expect(removalsIn(diagnosis).map(({ removal }) => removal.rules.length)).toEqual([9, 0, 3, 9, 0, 3]);
    expect(diagnosis.findings.every(({ remedy }) => remedy.kind === 'planned')).toBe(true);
  });

  test('connections to dead targets are ended, those to live ones are not', () => {
    const flows = conntrackIn(diagnosis).flatMap((step) => step.flows);
    expect(new Set(flows.map(({ target, targetPort }) => `${target}:${targetPort}`))).toEqual(
      new Set(['10.42.0.5:8080', '10.42.0.6:8080', '10.42.0.8:53']),
    );
    expect(flows).toContainEqual({
      protocol: 'tcp',
      address: undefined,
      port: 30080,
      target: '10.42.0.6',
      targetPort: 8080,
    });
    expect(flows).toContainEqual({
      protocol: 'udp',
      address: '10.43.0.10',
      port: 53,
      target: '10.42.0.8',
      targetPort: 53,
    });
  });

  test('connections are ended after the rules are gone', () => {
    const kinds = stepsOf(diagnosis).map(({ kind }) => kind);
    expect(kinds.lastIndexOf('iptables-batch')).toBeLessThan(kinds.indexOf('conntrack-delete'));
  });

  test('traffic is there for machines too', () => {
    expect(findingAt(diagnosis, '10.43.0.80:80').traffic).toEqual({
      protocol: 'tcp',
      address: '10.43.0.80',
      port: 80,
      service: 'default/web:http',
      sentTo: [
        { address: '10.42.0.5', port: 8080, state: 'dead' },
        { address: '10.42.0.6', port: 8080, state: 'dead' },
      ],
      live: [{ address: '10.42.0.9', port: 8080, backend: 'nft' }],
    });
  });
});

test('a host port of a sandbox that is gone stands beside the live one in the other backend', async () => {
  const diagnosis = await diagnose(hostPortGhost);
  expect(diagnosis.findings.map(({ message }) => message)).toEqual([
    'host port *:80/tcp default/new → 10.42.1.2:8080 dead (legacy) · live: 10.42.1.3:8080 (nft)',
  ]);
  expect(removalsIn(diagnosis)).toMatchObject([
    {
      backend: 'legacy',
      family: 'ipv4',
      removal: { table: 'nat', chains: ['CNI-DN-ee38aa4d9699bb275365c'] },
    },
  ]);
  expect(removalsIn(diagnosis)[0]?.removal.rules.map(({ chain }) => chain)).toEqual(['CNI-HOSTPORT-DNAT']);
});

test('IPv6 ghosts are told in brackets and cleaned in their own tables', async () => {
  const diagnosis = await diagnose('kube-proxy-1.22-legacy-then-1.34-nft');
  const ipv6 = findingAt(diagnosis, '[fd00:43::27]:80/tcp');
  expect(ipv6.message).toBe(
    '[fd00:43::27]:80/tcp default/dual → [fd00:42::146]:8080 live (legacy) · live: [fd00:42::146]:8080 (nft)',
  );
  expect(tablesIn(diagnosis)).toContain('legacy ipv6 nat');
});

test('a kube-proxy of 1.22 leaves load balancer chains of its own kind, and they go too', async () => {
  const nat = removalsIn(await diagnose('kube-proxy-1.22-legacy-then-1.34-nft')).find(
    ({ family, removal }) => family === 'ipv4' && removal.table === 'nat',
  );
  expect(nat?.removal.chains.filter((name) => name.startsWith('KUBE-XLB-'))).toHaveLength(5);
  expect(nat?.removal.chains).toContain('KUBE-MARK-DROP');
});
