import { expect, test } from 'vitest';
import { kubeComponentsFact } from '../../src/facts/kube-components.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { gather } from './observed-host.ts';

const nothing = {
  kubelet: false,
  separateKubeProxy: false,
  separateKubeRouter: false,
  kubeProxyDisabled: false,
  ipvsDevice: false,
  ciliumDevice: false,
  kubeProxyNftTable: false,
};

async function componentsOf(host: Partial<RecordingInput>) {
  const bare = { processes: [], files: [], commands: [] };
  const edits = { host: { ...bare, ...host } };
  return (await gather(kubeComponentsFact, 'kube-proxy-legacy-then-nft', { edits })).value;
}

test('a host where nothing runs has nothing', async () => {
  expect(await componentsOf({})).toEqual(nothing);
});

test.each(['k3s', 'k3s-server', 'k3s-agent', 'rke2', 'rke2-server', 'rke2-agent', 'kubelet'])(
  '%s contains a kubelet',
  async (name) => {
    expect(await componentsOf({ processes: [{ name }] })).toEqual({ ...nothing, kubelet: true });
  },
);

test.each(['k3s-doctor', 'containerd', 'kubectl', 'xk3s', 'kubelet-proxy'])('%s does not', async (name) => {
  expect(await componentsOf({ processes: [{ name }] })).toEqual(nothing);
});

test('kube-proxy and kube-router of their own are told from those within k3s', async () => {
  const processes = [{ name: 'k3s-server' }, { name: 'kube-proxy' }, { name: 'kube-router' }];
  expect(await componentsOf({ processes })).toEqual({
    ...nothing,
    kubelet: true,
    separateKubeProxy: true,
    separateKubeRouter: true,
  });
});

test.each([
  [['k3s', 'server', '--disable-kube-proxy'], true],
  [['k3s', 'server', '--disable-kube-proxy=true'], true],
  [['k3s', 'server', '--disable-kube-proxy=false'], false],
  [['k3s', 'server', '--disable', 'traefik'], false],
])('%j disables kube-proxy: %s', async (args, kubeProxyDisabled) => {
  expect(await componentsOf({ processes: [{ name: 'k3s-server', args }] })).toMatchObject({
    kubeProxyDisabled,
  });
});

test('another program may say --disable-kube-proxy as it likes', async () => {
  const processes = [{ name: 'k3s-server' }, { name: 'grep', args: ['grep', '--disable-kube-proxy'] }];
  expect(await componentsOf({ processes })).toMatchObject({ kubeProxyDisabled: false });
});

test('devices tell of ipvs and Cilium', async () => {
  const text = 'Inter-|   Receive\n    lo: 0 0\nkube-ipvs0: 0 0\n  cilium_host: 0 0\n';
  const files = [{ path: '/proc/net/dev', text }];
  expect(await componentsOf({ files })).toEqual({ ...nothing, ipvsDevice: true, ciliumDevice: true });
  const similar = [{ path: '/proc/net/dev', text: 'my-kube-ipvs0: 0\ncilium_host2: 0\n' }];
  expect(await componentsOf({ files: similar })).toEqual(nothing);
});

test('a native table of kube-proxy tells of nftables mode', async () => {
  expect(await componentsOf({ commands: [{ tool: 'nft', exitCode: 0 }] })).toEqual({
    ...nothing,
    kubeProxyNftTable: true,
  });
  const stderr = 'Error: No such file or directory';
  expect(await componentsOf({ commands: [{ tool: 'nft', exitCode: 1, stderr }] })).toEqual(nothing);
});

test('nft is asked only for one chain of each family, and not at all where nf_tables is not loaded', async () => {
  const recorded = 'kube-proxy-1.34-legacy-then-nftables-mode';
  const { value, asked } = await gather(kubeComponentsFact, recorded);
  expect(value.kubeProxyNftTable).toBe(true);
  expect(asked).toEqual(['nft list chain ip kube-proxy services', 'nft list chain ip6 kube-proxy services']);
  const files = [
    { path: '/proc/modules', text: 'ip_tables 1 0 - Live 0x0\n' },
    { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
    { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/x.ko\n' },
  ];
  expect((await gather(kubeComponentsFact, recorded, { edits: { add: { files } } })).asked).toEqual([]);
});
