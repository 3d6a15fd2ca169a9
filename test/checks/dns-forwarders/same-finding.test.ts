import { expect, test } from 'vitest';
import { findingDigest } from '../../../src/engine/guards/finding-digest.ts';
import { type Changes, diagnose } from './cluster.ts';

const upstream = '8.8.8.8';
const provider = { '185.12.64.1': 'answers' } as const;

async function digestOf(changes: Changes): Promise<string> {
  const { findings } = await diagnose({ config: { slowMs: 5_000 }, ...changes });
  const dead = findings.find(({ code }) => code === 'forwarders-dead');
  if (dead?.remedy.kind !== 'planned') throw new Error(JSON.stringify(findings));
  return findingDigest(dead);
}

/** A repair that failed three times is given up, unless it is another finding by then. */
test('how long an answer took, what a cache still holds and how a pod is called make no other finding', async () => {
  const dead = { ...provider, [upstream]: { tcp: 'answers' } } as const;
  const podNetwork = { ...dead, [upstream]: { tcp: 'late' } } as const;
  const first = await digestOf({ network: dead, podNetwork: dead });
  expect(await digestOf({ network: dead, podNetwork })).toBe(first);
  expect(await digestOf({ network: dead, podNetwork, world: { '10.42.0.5': 'servfail' } })).toBe(first);
  expect(await digestOf({ network: dead, podNetwork, pods: [{ name: 'coredns-1' }] })).toBe(first);
  expect(await digestOf({ network: provider, podNetwork: provider })).not.toBe(first);
});
