import { expect, test } from 'vitest';
import { diagnose, overlay, recordedWorker, worker } from './two-nodes.ts';

const codesOf = async (changes: Parameters<typeof diagnose>[0]) =>
  (await diagnose(changes)).findings.map(({ code, severity }) => `${severity} ${code}`);

test('nothing is wrong where everything is in order', async () => {
  expect(await diagnose()).toMatchObject({ outcome: 'ok', findings: [], reasons: [] });
});

test('a private tunnel address behind the default route of a public link is named, as is what to do', async () => {
  const { findings } = await diagnose({
    worker: { flannel: recordedWorker.flannel },
    overlay: { fdb: new Map([['5a:0b:3f:11:aa:02', ['172.31.39.213']]]) },
    answer: 'silent',
  });
  expect(findings).toMatchObject([
    {
      code: 'vtep-unreachable',
      severity: 'error',
      subject: 'node aws-worker-1 10.42.1.0/24',
      message:
        'the tunnel to node aws-worker-1 goes to 172.31.39.213, a private address, over the public link eth0',
      effect: 'loses',
      remedy: { kind: 'none', reason: expect.stringContaining('--flannel-iface') },
    },
  ]);
});

test('the same, where nobody may ping, is a warning', async () => {
  const changes = {
    worker: { flannel: recordedWorker.flannel },
    overlay: { fdb: new Map([['5a:0b:3f:11:aa:02', ['172.31.39.213']]]) },
  };
  expect(await codesOf({ ...changes, answer: 'not-asked' })).toEqual(['warning vtep-unreachable']);
  // It is carried somehow: a VPN, a provider's network.
  expect(await codesOf({ ...changes, answer: 'answered' })).toEqual([]);
});

test.each([
  ['the neighbour', { neighbours: new Map([['10.42.1.0', '5a:0b:3f:11:aa:99']]) }],
  ['no neighbour at all', { neighbours: new Map<string, string>() }],
  ['the FDB entry', { fdb: new Map([['5a:0b:3f:11:aa:02', ['192.0.2.99']]]) }],
  ['no FDB entry at all', { fdb: new Map<string, string[]>() }],
])('a stale entry is repaired: %s', async (_, changed) => {
  const diagnosis = await diagnose({ overlay: changed, answer: 'silent' });
  expect(diagnosis.findings).toMatchObject([{ code: 'vtep-stale-entry', remedy: { kind: 'planned' } }]);
  const { steps, repairs } = diagnosis.plan(() => true);
  expect(repairs).toEqual(diagnosis.findings);
  expect(steps).toHaveLength(1);
  expect(steps[0]).toMatchObject({
    kind: 'link-entry',
    link: 'flannel.1',
    value: 'neighbours' in changed ? '5a:0b:3f:11:aa:02' : '198.51.100.20',
  });
  expect(diagnosis.plan(() => false)).toEqual({ steps: [], repairs: [] });
});

test('entries that could not be listed are not called stale', async () => {
  const changes = { overlay: { neighbours: undefined, fdb: undefined } } as const;
  expect(await codesOf({ ...changes, answer: 'not-asked' })).toEqual([]);
});

test('a node that answers full packets is reached, whatever its entries look like', async () => {
  expect(await codesOf({ overlay: { fdb: new Map() }, answer: 'answered' })).toEqual([]);
});

test('no route to the pods of a node', async () => {
  expect(await codesOf({ network: { routes: [] }, answer: 'silent' })).toEqual(['error vtep-no-route']);
});

test('with direct routing pods are routed to the node itself', async () => {
  const direct = {
    family: 'ipv4',
    table: 'main',
    type: 'unicast',
    destination: '10.42.1.0/24',
    link: 'eth0',
    gateway: '198.51.100.20',
    preferredSource: undefined,
    metric: 0,
  } as const;
  expect(await codesOf({ network: { routes: [direct] }, answer: 'not-asked' })).toEqual([]);
});

test('two nodes with one address', async () => {
  const server = {
    flannel: { ...worker.flannel, publicIp: '198.51.100.20' },
    externalAddresses: ['198.51.100.20'],
  };
  expect(await codesOf({ server, answer: 'silent' })).toContain('error vtep-shared');
});

test('an overwrite that is none of the node’s addresses', async () => {
  const flannel = { ...worker.flannel, publicIpOverwrite: '192.0.2.5' };
  expect(await codesOf({ worker: { flannel } })).toEqual(['warning vtep-stale-overwrite']);
  expect(await codesOf({ worker: { flannel: { ...flannel, publicIpOverwrite: '198.51.100.20' } } })).toEqual(
    [],
  );
});

test('silence without a cause, and full packets that get lost', async () => {
  expect(await codesOf({ answer: 'silent' })).toEqual(['error vtep-silent']);
  expect(await codesOf({ answer: 'small-only' })).toEqual(['error vtep-mtu']);
});

test('what this node itself drops is left to ufw-overlay', async () => {
  const rules = [
    '*filter',
    ':INPUT DROP [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    'COMMIT',
    '',
  ].join('\n');
  expect(await codesOf({ answer: 'silent', rules })).toEqual([]);
});

test('an overlay whose full packets do not fit', async () => {
  expect(await codesOf({ overlay: { mtu: 1451 } })).toEqual(['error vtep-mtu']);
});

test('this node’s own address and link', async () => {
  expect(await codesOf({ server: { flannel: { ...worker.flannel, publicIp: '192.0.2.77' } } })).toEqual([
    'error vtep-not-mine',
    'error vtep-other-mac',
  ]);
});

test('checksums: kernels before 5.7, and network cards that are known for it', async () => {
  expect(await codesOf({ kernel: '5.6.19' })).toEqual(['error vtep-checksum-offload']);
  expect(await codesOf({ kernel: '5.7.0' })).toEqual([]);
  expect(await codesOf({ overlay: { underlayDriver: 'vmxnet3' } })).toEqual(['error vtep-checksum-offload']);
  expect(await codesOf({ overlay: { checksumOffload: 'off' }, kernel: '4.18.0' })).toEqual([]);
  expect(await codesOf({ overlay: { checksumOffload: undefined }, kernel: '4.18.0' })).toEqual([]);
  expect(await codesOf({ received: 99 })).toEqual([]);
  expect(await codesOf({ received: 100 })).toEqual(['warning vtep-bad-checksums']);
});

test('offload is switched off now, and by udev whenever the link is made anew', async () => {
  const { steps } = (await diagnose({ kernel: '5.4.0-150-generic' })).plan(() => true);
  expect(steps).toMatchObject([
    { kind: 'file-write', path: '/etc/udev/rules.d/90-k3s-doctor-flannel.1.rules', basedOn: null },
    { kind: 'link-entry', table: 'feature', key: 'tx-checksum-ip-generic', was: 'on', value: 'off' },
  ]);
});

test('without the API it is unknown, and what the node itself knows is judged', async () => {
  expect(await diagnose({ api: false })).toMatchObject({
    outcome: 'unknown',
    reasons: ['the nodes of the cluster are not known: connection refused'],
  });
  const { outcome, findings } = await diagnose({ api: false, overlay: { mtu: 1500 } });
  expect([outcome, findings.length]).toEqual(['findings', 1]);
});

test('a cluster of VXLAN without a link for it is not healthy', async () => {
  expect(await diagnose({ noOverlay: true })).toMatchObject({ outcome: 'unknown' });
  const wireguard = { ...overlay, flannel: { ...worker.flannel, backend: 'wireguard' } };
  const changes = { server: { flannel: wireguard.flannel }, worker: { flannel: wireguard.flannel } };
  expect(await diagnose({ noOverlay: true, ...changes })).toMatchObject({ outcome: 'skipped' });
});
