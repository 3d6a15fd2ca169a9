import { expect, test } from 'vitest';
import { serviceEndpointsFact } from '../../src/facts/service-endpoints.ts';
import { without } from './edited-recording.ts';
import { gather } from './observed-host.ts';

const both = 'kube-proxy-legacy-then-nft';
const slices = 'GET /apis/discovery.k8s.io/v1/endpointslices';

test('the API is asked once, where both backends have Services', async () => {
  const { value, asked } = await gather(serviceEndpointsFact, both);
  expect(asked.filter((question) => question.startsWith('GET'))).toEqual([slices]);
  expect(value).toMatchObject({ kind: 'known', source: expect.stringContaining('recording') });
  expect(value.kind === 'known' && value.services.get('default/web')).toEqual([
    { portName: 'http', protocol: 'tcp', port: 8080, address: '10.42.0.9', state: 'ready' },
  ]);
});

test('the API is spared where there is nothing to compare', async () => {
  const noServices = without(/KUBE-SERVICES/);
  const texts = { 'iptables-legacy-save.txt': noServices, 'ip6tables-legacy-save.txt': noServices };
  const { value, asked } = await gather(serviceEndpointsFact, both, { edits: { texts } });
  expect(value).toEqual({ kind: 'not-needed' });
  expect(asked.filter((question) => question.startsWith('GET'))).toEqual([]);
});

test('why the API did not answer is kept', async () => {
  const kube = [
    { path: '/apis/discovery.k8s.io/v1/endpointslices', unavailable: 'forbidden: list endpointslices' },
  ];
  const { value } = await gather(serviceEndpointsFact, both, { edits: { host: { kube } } });
  expect(value).toEqual({ kind: 'unavailable', reason: 'forbidden: list endpointslices' });
});

test.each([
  ['not JSON', '<html>'],
  ['another kind', '{"kind":"PodList","items":[]}'],
])('an answer that is %s is not believed', async (_what, body) => {
  const texts = { 'endpointslices.json': () => body };
  const { value } = await gather(serviceEndpointsFact, both, { edits: { texts } });
  expect(value).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringMatching(/^the API's answer cannot be read: /),
  });
});
