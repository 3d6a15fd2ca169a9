import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { findingKey } from '../../../src/engine/finding.ts';
import { type Edits, without } from '../../facts/edited-recording.ts';
import { diagnose, hostPortGhost, legacyThenNft } from './diagnose.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures');
const recordings = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('host.json'))
  .map(dirname)
  .sort();

/** kubelet's mark taken out of one backend, so that the other one is full of ghosts. */
const unmarked = ['legacy', 'nft'].map((backend): Edits => {
  const noMark = without(/KUBE-(IPTABLES-HINT|KUBELET-CANARY)/);
  return { texts: { [`iptables-${backend}-save.txt`]: noMark, [`ip6tables-${backend}-save.txt`]: noMark } };
});

function keysOf({ findings }: Diagnosis): readonly string[] {
  return findings.map((finding) => findingKey('iptables-ghosts', finding)).sort();
}

describe.each(recordings)('%s', (fixture) => {
  test('each finding has a subject of its own, whichever backend is live', async () => {
    for (const edits of [{}, ...(fixture.includes('/') ? [] : unmarked)]) {
      const diagnosis = await diagnose(fixture, edits);
      const keys = keysOf(diagnosis);
      expect(keys).toEqual([...new Set(keys)]);
    }
  });
});

test('a subject says where, what for, and whose', async () => {
  const keys = [...keysOf(await diagnose(legacyThenNft)), ...keysOf(await diagnose(hostPortGhost))];
  expect(keys.filter((key) => !/:\/\/|default\/(lb|sticky|kubernetes)|53/.test(key))).toEqual([
    'iptables-ghosts ghost-reject legacy ipv4 filter KUBE-SERVICES 10.43.0.83:80/tcp default/empty',
    'iptables-ghosts ghost-scaffolding legacy ipv4 filter scaffolding',
    'iptables-ghosts ghost-scaffolding legacy ipv4 mangle scaffolding',
    'iptables-ghosts ghost-scaffolding legacy ipv4 nat scaffolding',
    'iptables-ghosts ghost-scaffolding legacy ipv6 filter scaffolding',
    'iptables-ghosts ghost-scaffolding legacy ipv6 mangle scaffolding',
    'iptables-ghosts ghost-scaffolding legacy ipv6 nat scaffolding',
    'iptables-ghosts ghost-service legacy ipv4 nat *:30080/tcp default/web:http',
    'iptables-ghosts ghost-service legacy ipv4 nat 10.43.0.80:80/tcp default/web:http',
    'iptables-ghosts ghost-host-port legacy ipv4 nat sandbox aaaa1111 *:80/tcp',
  ]);
});

describe('a subject stays the same while the ghost does, though', () => {
  let first: readonly string[];
  beforeEach(async () => {
    first = keysOf(await diagnose(legacyThenNft));
  });

  test('the API is away', async () => {
    expect(keysOf(await diagnose(legacyThenNft, { host: { kube: [] } }))).toEqual(first);
  });

  test('live rules come and go', async () => {
    const texts = { 'iptables-nft-save.txt': without(/default\/(web|empty)/) };
    expect(keysOf(await diagnose(legacyThenNft, { texts }))).toEqual(first);
  });

  test('packets are counted, and rules are doubled by a tool that cannot see they are there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2 ** 31), fc.integer({ min: 1, max: 3 }), async (packets, copies) => {
        const texts = {
          'iptables-legacy-save.txt': (text: string) =>
            text.replace(/^\[\d+:\d+\] (-A .*)$/gm, (_line, rule: string) =>
              Array.from({ length: copies }, () => `[${packets}:0] ${rule}`).join('\n'),
            ),
        };
        expect(keysOf(await diagnose(legacyThenNft, { texts }))).toEqual(first);
      }),
      { numRuns: 5 },
    );
  });
});
