import { expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { cniNetworksFact, sandboxesFact } from '../../src/facts/sandboxes.ts';
import { without } from './edited-recording.ts';
import { gather } from './observed-host.ts';

const hostPort = 'hostport-ghost-legacy-first/2-ghost';

test('the runtime is not asked where no sandbox has a chain', async () => {
  const texts = { 'legacy-save.txt': without(/CNI-DN-/), 'nft-save.txt': without(/CNI-DN-/) };
  const { value, asked } = await gather(sandboxesFact, hostPort, { edits: { texts } });
  expect(value).toEqual({ kind: 'not-needed' });
  expect(asked.filter((question) => question.startsWith('crictl'))).toEqual([]);
});

test('ready and other sandboxes are told apart', async () => {
  const items = [
    { id: 'aaaa1111', state: 'SANDBOX_NOTREADY', metadata: { name: 'old', namespace: 'default' } },
    { id: 'bbbb2222', state: 'SANDBOX_READY', metadata: { name: 'new', namespace: 'default' } },
  ];
  const texts = { 'crictl-pods.json': () => JSON.stringify({ items }) };
  const { value } = await gather(sandboxesFact, hostPort, { edits: { texts } });
  expect(value).toEqual({
    kind: 'known',
    ready: new Map([['bbbb2222', { name: 'new', namespace: 'default' }]]),
    notReady: new Map([['aaaa1111', { name: 'old', namespace: 'default' }]]),
    reserved: new Map(),
  });
});

test("k3s' own socket is named where it is, after the rules were read", async () => {
  const directories = [{ path: '/run/k3s/containerd', entries: ['containerd.sock'] }];
  const { asked } = await gather(sandboxesFact, hostPort, { edits: { add: { directories } } });
  expect(asked.at(-1)).toBe(
    'crictl --runtime-endpoint unix:///run/k3s/containerd/containerd.sock pods -o json',
  );
  expect((await gather(sandboxesFact, hostPort)).asked.at(-1)).toBe('crictl pods -o json');
});

test('a configured crictl is asked as it is configured', async () => {
  const config = { ...defaultConfig(), commands: { crictl: ['/opt/crictl', '-r', 'unix:///other.sock'] } };
  const directories = [{ path: '/run/k3s/containerd', entries: ['containerd.sock'] }];
  const { asked } = await gather(sandboxesFact, hostPort, { edits: { add: { directories } }, config });
  expect(asked.at(-1)).toBe('crictl pods -o json');
});

test('addresses are reserved in a folder of each network, by files that begin with the id', async () => {
  const config = defaultConfig();
  const ipam = '/var/lib/cni/networks';
  const directories = [
    { path: `${ipam}/cbr0`, entries: ['10.42.1.2', 'fd00:42::9', 'lock', 'last_reserved_ip.0', '10.42.1.4'] },
    { path: `${ipam}/other`, entries: ['10.42.9.9'] },
  ];
  const files = [
    { path: `${ipam}/cbr0/10.42.1.2`, text: 'aaaa1111\r\neth0' },
    { path: `${ipam}/cbr0/fd00:42::9`, text: 'cccc3333\neth0\n' },
    { path: `${ipam}/cbr0/lock`, text: 'dddd4444' },
    { path: `${ipam}/cbr0/last_reserved_ip.0`, text: '10.42.1.4' },
    { path: `${ipam}/cbr0/10.42.1.4`, text: '' },
    { path: `${ipam}/other/10.42.9.9`, text: 'eeee5555' },
  ];
  const edits = { add: { directories, files } };
  const { value } = await gather(sandboxesFact, hostPort, { edits });
  const ours = [
    ['aaaa1111', `${ipam}/cbr0/10.42.1.2`],
    ['cccc3333', `${ipam}/cbr0/fd00:42::9`],
  ] as const;
  expect(value).toHaveProperty('reserved', new Map(ours));
  const networks = {
    ...config,
    checks: {
      ...defaultConfig().checks,
      'iptables-ghosts': { mode: 'fix' as const, probe: true, networks: ['cbr0', 'other'] },
    },
  };
  const more = await gather(sandboxesFact, hostPort, { edits, config: networks });
  expect(more.value).toHaveProperty('reserved', new Map([...ours, ['eeee5555', `${ipam}/other/10.42.9.9`]]));
});

test("the network is the configured one, else the conflist's, else that of k3s", async () => {
  const config = defaultConfig();
  const path = '/data/agent/etc/cni/net.d/10-flannel.conflist';
  const edits = {
    add: { files: [{ path, text: '{\n  "name": "mynet",\n  "plugins": [{"type":"portmap"}]\n}' }] },
  };
  const moved = { ...config, paths: { ...config.paths, k3sData: '/data' } };
  expect((await gather(cniNetworksFact, hostPort)).value).toEqual(['cbr0']);
  expect((await gather(cniNetworksFact, hostPort, { edits, config: moved })).value).toEqual(['mynet']);
  const configured = {
    ...moved,
    checks: {
      ...defaultConfig().checks,
      'iptables-ghosts': { mode: 'fix' as const, probe: true, networks: ['a', 'b'] },
    },
  };
  expect((await gather(cniNetworksFact, hostPort, { edits, config: configured })).value).toEqual(['a', 'b']);
});
