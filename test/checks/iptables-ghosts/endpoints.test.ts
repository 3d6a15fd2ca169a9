import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { without } from '../../facts/edited-recording.ts';
import { conntrackIn, diagnose, findingAt, legacyThenNft, tablesIn } from './diagnose.ts';

const slices = '/apis/discovery.k8s.io/v1/endpointslices';

describe('with the API away', () => {
  const away = { host: { kube: [{ path: slices, unavailable: 'the certificate has expired' }] } };

  test('endpoints are live when the live backend has them, and the rest goes on', async () => {
    const diagnosis = await diagnose(legacyThenNft, away);
    expect(findingAt(diagnosis, '10.43.0.81:80').message).toBe(
      '10.43.0.81:80/tcp default/sticky → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead, 10.42.0.7:8080 live (legacy) · live: 10.42.0.7:8080, 10.42.0.9:8080 (nft)',
    );
    expect(tablesIn(diagnosis)).toContain('legacy ipv4 nat');
    expect(diagnosis.reasons).toEqual([]);
  });

  test('that is said once', async () => {
    const { limits } = await diagnose(legacyThenNft, away);
    expect(limits.filter((line) => line.includes('API'))).toEqual([
      'the API was not read: the certificate has expired',
    ]);
  });
});

test('an answer of the API that is no list of slices is as good as none', async () => {
  const texts = { 'endpointslices.json': () => '{"kind":"Status","status":"Failure"}' };
  const diagnosis = await diagnose(legacyThenNft, { texts });
  expect(diagnosis.outcome).toBe('findings');
  expect(diagnosis.limits).toContainEqual(
    expect.stringMatching(/^the API was not read: the API's answer cannot be read/),
  );
});

test('an endpoint that is not ready is told as such, and its connections are left', async () => {
  const texts = {
    'endpointslices.json': (text: string) => {
      const list: unknown = JSON.parse(text);
      return JSON.stringify(list, (key, value: unknown) => (key === 'ready' ? false : value));
    },
  };
  const diagnosis = await diagnose(legacyThenNft, { texts });
  expect(findingAt(diagnosis, '10.43.0.82:80').message).toBe(
    '10.43.0.82:80/tcp default/lb → 10.42.0.7:8080 not ready (legacy) · live: 10.42.0.7:8080 (nft)',
  );
  expect(targetsIn(diagnosis)).not.toContain('10.42.0.7');
});

describe('where no live rules in iptables can tell, as in nftables mode or with Cilium', () => {
  const noProxy = without(/KUBE-(?!IPTABLES-HINT|KUBELET-CANARY|FIREWALL)/);
  const nftables = {
    texts: {
      'iptables-nft-save.txt': noProxy,
      'ip6tables-nft-save.txt': noProxy,
    },
    add: { commands: [{ tool: 'nft' as const, exitCode: 0 }] },
  };

  test('the API tells which endpoints are live, and connections to those are left', async () => {
    const diagnosis = await diagnose(legacyThenNft, nftables);
    expect(findingAt(diagnosis, '10.43.0.82:80')).toMatchObject({
      effect: 'may-mask',
      message: '10.43.0.82:80/tcp default/lb → 10.42.0.7:8080 live (legacy) · live rules are not in iptables',
    });
    expect(targetsIn(diagnosis)).toEqual(new Set(['10.42.0.5', '10.42.0.6', '10.42.0.8']));
  });

  test('with the API away nothing is said to be dead, and no connection is ended', async () => {
    const diagnosis = await diagnose(legacyThenNft, { ...nftables, host: { kube: [] } });
    expect(findingAt(diagnosis, '10.43.0.80:80').message).toBe(
      '10.43.0.80:80/tcp default/web → 10.42.0.5:8080 unknown, 10.42.0.6:8080 unknown (legacy) · live rules are not in iptables',
    );
    expect(targetsIn(diagnosis)).toEqual(new Set());
    expect(tablesIn(diagnosis)).toContain('legacy ipv4 nat');
  });
});

function targetsIn(diagnosis: Diagnosis): ReadonlySet<string> {
  return new Set(conntrackIn(diagnosis).flatMap(({ flows }) => flows.map(({ target }) => target)));
}
