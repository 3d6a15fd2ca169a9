import { expect, test } from 'vitest';
import { codesOf, corefileWith, diagnose } from './cluster.ts';

test('a node has another address than CoreDNS tells', async () => {
  const { findings } = await diagnose({ nodeHosts: '203.0.113.10 main\n172.31.39.213 worker\n' });
  expect(findings).toMatchObject([
    {
      code: 'node-hosts-stale',
      severity: 'warning',
      subject: 'node worker',
      message:
        'CoreDNS leads whoever asks for node worker to 172.31.39.213, which is not its address (198.51.100.20, 2001:db8::20)',
      effect: 'loses',
      evidence: [{ observed: '172.31.39.213', expected: '198.51.100.20, 2001:db8::20' }],
    },
  ]);
});

test('a node that is missing', async () => {
  const { findings } = await diagnose({ nodeHosts: '203.0.113.10 main\n' });
  expect(findings).toMatchObject([
    { code: 'node-hosts-stale', subject: 'node worker', effect: 'idle', evidence: [{ observed: 'no line' }] },
  ]);
});

test.each([
  ['lines of the operator’s own', '203.0.113.10 main\n198.51.100.20 worker\n192.0.2.7 nas.example.org nas\n'],
  ['one of two families', '203.0.113.10 main\n2001:DB8:0:0::20 worker\n'],
  [
    'comments, capitals and a second name',
    '# ours\n203.0.113.10\tMAIN main.example.org # here\n198.51.100.20 worker\n',
  ],
])('in order: %s', async (_, nodeHosts) => {
  expect(await codesOf({ nodeHosts })).toEqual([]);
});

test('the key is gone: a new pod would hang', async () => {
  expect(await diagnose({ nodeHosts: undefined })).toMatchObject({
    findings: [{ code: 'node-hosts-missing', severity: 'error', effect: 'dormant' }],
  });
});

test('a Corefile that does not use it', async () => {
  const corefile = corefileWith('forward . 192.0.2.1').replace('/etc/coredns/NodeHosts', '/etc/hosts');
  expect(await codesOf({ corefile, nodeHosts: undefined })).toEqual([]);
});

test('without the nodes nothing is compared, and it says so', async () => {
  const nodes = { kind: 'unavailable', reason: 'forbidden' } as const;
  const diagnosis = await diagnose({ nodes, nodeHosts: '' });
  expect(diagnosis).toMatchObject({
    outcome: 'ok',
    limits: ['NodeHosts: not compared with the nodes (forbidden)'],
  });
});
