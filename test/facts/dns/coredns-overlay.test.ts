import { expect, test } from 'vitest';
import { clusterAnswersFact } from '../../../src/facts/dns/cluster-answers.ts';
import { coreDnsOverlayFact } from '../../../src/facts/dns/coredns-overlay.ts';
import { placementFact } from '../../../src/facts/dns/placement.ts';
import { overlayAnswersFact } from '../../../src/facts/overlay.ts';
import { givenFacts } from '../given-facts.ts';

const asked = { kind: 'asked', answers: new Map([['10.42.1.0', 'answered']]) };
const address = '10.42.0.7';
const at = (node: string | undefined, isAllowed = true) => ({ pod: { node, address }, isAllowed });
const heard = { verdict: 'answers' };
const lost = { verdict: 'timed-out' };

async function isAsked(
  pods: readonly object[],
  byProtocol: object = { udp: heard, tcp: heard },
): Promise<boolean> {
  const context = await givenFacts({
    [placementFact.id]: { kind: 'known', pods },
    [clusterAnswersFact.id]: { cluster: new Map([[address, { server: address, port: 53, byProtocol }]]) },
    [overlayAnswersFact.id]: asked,
  });
  return (await context.get(coreDnsOverlayFact)) === asked;
}

test('nobody is pinged where CoreDNS answers from where it may run', async () => {
  expect(await isAsked([at('server')])).toBe(false);
  expect(await isAsked([at('server')], { udp: { verdict: 'servfail' } })).toBe(false);
  expect(await isAsked([])).toBe(false);
});

test.each<[string, object, object?]>([
  ['it runs where it may not', at('worker', false)],
  ['it has no node', at(undefined)],
  ['it does not answer', at('server'), { udp: lost, tcp: lost }],
  ['it does not answer by one protocol', at('server'), { udp: lost, tcp: heard }],
  ['nobody asked it', { ...at('server'), pod: { node: 'server', address: '10.42.0.8' } }],
  ['it has no address', { ...at('server'), pod: { node: 'server', address: undefined } }],
])('the nodes are pinged where %s', async (_, pod, byProtocol) => {
  expect(await isAsked([at('server'), pod], byProtocol)).toBe(true);
});

test('nobody is pinged where nobody knows the pods', async () => {
  const context = await givenFacts({
    [placementFact.id]: { kind: 'unavailable', reason: 'needs: list pods', forbidden: true },
    [clusterAnswersFact.id]: { cluster: new Map() },
    [overlayAnswersFact.id]: asked,
  });
  expect(await context.get(coreDnsOverlayFact)).toMatchObject({ kind: 'not-asked' });
});
