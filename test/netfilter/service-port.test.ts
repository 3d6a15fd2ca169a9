import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointIn, parseEndpoint, printEndpoint, servicePortIn } from '../../src/netfilter/service-port.ts';

test.each([
  ['default/web:http cluster IP', 'default/web:http'],
  ['default/web', 'default/web'],
  ['default/web:http -> 10.42.0.5:8080', 'default/web:http'],
  ['masquerade traffic for shop/np:https external destinations', 'shop/np:https'],
  ['other traffic to default/lb:http will be dropped by KUBE-PROXY-FIREWALL', 'default/lb:http'],
  ['Balancing rule 0 for default/lb:http', 'default/lb:http'],
  ['default/lb:http traffic not accepted by KUBE-FW-JSLCNGWSGB5JPS5Q', 'default/lb:http'],
  ['Redirect pods trying to reach external loadbalancer VIP to clusterIP', undefined],
  ['kubernetes service portals', undefined],
  ['kubernetes service nodeports; NOTE: this must be the last rule in this chain', undefined],
  ['', undefined],
])('"%s" is about %s', (comment, servicePort) => {
  expect(servicePortIn(comment)).toBe(servicePort);
});

test('the endpoint stands behind the arrow', () => {
  expect(endpointIn('default/web:http -> [fd00::5]:8080')).toBe('[fd00::5]:8080');
  expect(endpointIn('default/web:http')).toBeUndefined();
});

test('an endpoint comes back from its own print', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
      expect(parseEndpoint(printEndpoint({ address: ip, port }))).toEqual({ address: ip, port });
    }),
  );
});

test.each([
  '10.42.0.5',
  'fd00::5:8080',
  ':8080',
  '10.42.0.5-10.42.0.9:80',
  '10.42.0.5:80-90',
  'example:80',
  '',
])('"%s" is no endpoint', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});
