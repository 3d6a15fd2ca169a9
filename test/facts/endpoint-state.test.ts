import { expect, test } from 'vitest';
import { stateOf } from '../../src/facts/endpoint-state.ts';
import type { ServiceEndpoint } from '../../src/kube/endpoint-slices.ts';
import type { Claim } from '../../src/netfilter/claims.ts';

const target = { address: '10.42.0.9', port: 8080 };
const claim: Claim = {
  protocol: 'tcp',
  address: '10.43.0.80',
  port: 80,
  servicePort: 'default/web:http',
  sandboxId: undefined,
  chain: 'KUBE-SVC-X',
  targets: [target],
  packets: 0,
};
const endpoint: ServiceEndpoint = { ...target, portName: 'http', protocol: 'tcp', state: 'ready' };

function stateBy(known: ServiceEndpoint, of: Claim = claim) {
  const services = new Map([['default/web', [known]]]);
  const endpoints = { kind: 'known', services, source: 'test' } as const;
  return stateOf(target, of, { endpoints, liveTargets: [], liveRulesKnown: true });
}

test.each<[string, Partial<ServiceEndpoint>, string]>([
  ['is ready', {}, 'live'],
  ['is on its way out', { state: 'serving-terminating' }, 'live'],
  ['is not ready', { state: 'not-ready' }, 'not-ready'],
  ['has another address', { address: '10.42.0.10' }, 'dead'],
  ['has another port', { port: 8081 }, 'dead'],
  ['is of another port of the Service', { portName: 'https' }, 'dead'],
  ['is of another protocol', { protocol: 'udp' }, 'dead'],
])('by the API, an endpoint that %s', (_, other, state) => {
  expect(stateBy({ ...endpoint, ...other })).toBe(state);
});

test('an unnamed port of a Service has an empty name in the API', () => {
  const unnamed = { ...claim, servicePort: 'default/web' };
  expect(stateBy({ ...endpoint, portName: '' }, unnamed)).toBe('live');
  expect(stateBy(endpoint, unnamed)).toBe('dead');
});

test('without the API the live rules decide, and without them nobody', () => {
  const endpoints = { kind: 'unavailable', reason: 'refused' } as const;
  const truth = { endpoints, liveTargets: [target], liveRulesKnown: true };
  expect(stateOf(target, claim, truth)).toBe('live');
  expect(stateOf(target, claim, { ...truth, liveTargets: [] })).toBe('dead');
  expect(stateOf(target, claim, { ...truth, liveTargets: [], liveRulesKnown: false })).toBe('unknown');
});
