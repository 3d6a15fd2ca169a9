import { describe, expect, test } from 'vitest';
import { k3sOptionsFact } from '../../../src/facts/dns/k3s-options.ts';
import { localCoreDnsFact } from '../../../src/facts/dns/local-coredns.ts';
import { type Resolvers, resolversFact } from '../../../src/facts/dns/resolvers.ts';
import { dnsNode, runsHere } from './dns-node.ts';

/** A node that has these files, and k3s with these arguments, and nothing else. */
function given(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = ['/usr/local/bin/k3s server'],
) {
  const paths = Object.keys(files);
  const folders = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))));
  return dnsNode({
    edits: {
      host: {
        kube: [],
        processes: [{ pid: 812, name: 'k3s-server', args: [...args] }],
        files: paths.map((path) => ({ path, text: files[path] ?? '' })),
        directories: [...folders].map((path) => ({
          path,
          entries: paths
            .filter((each) => each.startsWith(`${path}/`))
            .map((each) => each.slice(path.length + 1)),
        })),
      },
    },
  });
}

async function resolvers(...of: Parameters<typeof given>): Promise<Resolvers> {
  const { context } = await given(...of);
  return context.get(resolversFact);
}

async function options(...of: Parameters<typeof given>) {
  const { context } = await given(...of);
  return context.get(k3sOptionsFact);
}

const etc = '/etc/resolv.conf';
const run = '/run/systemd/resolve/resolv.conf';
const config = '/etc/rancher/k3s/config.yaml';
const generated = '/var/lib/rancher/k3s/agent/etc/resolv.conf';
const kubeletFolder = '/var/lib/rancher/k3s/agent/etc/kubelet.conf.d';
const fit = 'nameserver 192.0.2.1\n';

describe('a file like resolv.conf', () => {
  test.each<[string, string, readonly string[], string | undefined]>([
    [
      'is read in its order',
      'nameserver 192.0.2.2\nnameserver 192.0.2.1\n',
      ['192.0.2.2', '192.0.2.1'],
      undefined,
    ],
    ['may have more than three', fit.repeat(5), Array(5).fill('192.0.2.1'), undefined],
    [
      'may have comments and options',
      `# nameserver 127.0.0.1\n;x\noptions edns0\nsearch a\n${fit}`,
      ['192.0.2.1'],
      undefined,
    ],
    ['may be written with tabs, and without an end', 'nameserver\t2001:db8::1', ['2001:db8::1'], undefined],
    ['is unfit with a loopback', `${fit}nameserver 127.0.0.53\n`, ['192.0.2.1', '127.0.0.53'], '127.0.0.53'],
    ['is unfit with the loopback of IPv6', 'nameserver ::1\n', ['::1'], '::1'],
    ['is unfit with a link-local one', 'nameserver 169.254.1.1\n', ['169.254.1.1'], '169.254.1.1'],
    ['is unfit with a zone', 'nameserver fe80::1%eth0\n', ['fe80::1%eth0'], 'fe80::1%eth0'],
    ['is unfit with a name', 'nameserver dns.example\n', ['dns.example'], 'dns.example'],
    ['is unfit with a multicast one', 'nameserver 224.0.0.1\n', ['224.0.0.1'], '224.0.0.1'],
    ['is unfit with the address of none', 'nameserver 0.0.0.0\n', ['0.0.0.0'], '0.0.0.0'],
    [
      'is unfit with a loopback in the clothes of IPv6',
      'nameserver ::ffff:127.0.0.1\n',
      ['::ffff:127.0.0.1'],
      '::ffff:127.0.0.1',
    ],
    [
      'is unfit with what Go takes for no address',
      'nameserver 192.0.2.010\n',
      ['192.0.2.010'],
      '192.0.2.010',
    ],
    ['is unfit without an address', 'nameserver \n', [], ''],
    [
      'is fit with private ones',
      'nameserver 10.0.0.1\nnameserver 100.100.100.100\n',
      ['10.0.0.1', '100.100.100.100'],
      undefined,
    ],
    [
      'is not judged by an indented line',
      `${fit}  nameserver 127.0.0.1\n`,
      ['192.0.2.1', '127.0.0.1'],
      undefined,
    ],
  ])('%s', async (_what, text, nameservers, unfit) => {
    const { host } = await resolvers({ [etc]: text });
    expect(host).toEqual({ kind: 'read', path: etc, nameservers, unfit });
  });

  test('may not be there', async () => {
    expect((await resolvers({})).host).toEqual({ kind: 'absent', path: etc });
  });
});

describe('kubelet gives to pods', () => {
  const stub = 'nameserver 127.0.0.53\n';
  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['/etc/resolv.conf where that is fit', { [etc]: fit, [run]: fit }, { by: 'host', conf: { path: etc } }],
    ["systemd's where that is fit", { [etc]: stub, [run]: fit }, { by: 'host', conf: { path: run } }],
    [
      'one of its own where none is fit',
      { [etc]: stub, [run]: stub, [generated]: 'nameserver 8.8.8.8\n' },
      { by: 'fallback', conf: { path: generated, nameservers: ['8.8.8.8'] } },
    ],
    [
      'one of its own where the others are empty',
      { [etc]: '', [run]: '# none\n' },
      { by: 'fallback', conf: { kind: 'absent' } },
    ],
    [
      'what it is told to, fit or not',
      { [etc]: fit, [config]: 'resolv-conf: /etc/other.conf\n', '/etc/other.conf': stub },
      { by: 'option', from: config, conf: { path: '/etc/other.conf', unfit: '127.0.0.53' } },
    ],
    [
      'what k3s wrote down at its start, whatever the host has now',
      {
        [etc]: fit,
        [`${kubeletFolder}/00-k3s-defaults.conf`]: `kind: KubeletConfiguration\nresolvConf: ${generated}\n`,
      },
      { by: 'fallback', conf: { path: generated } },
    ],
    [
      'what k3s wrote down, of the host',
      { [etc]: stub, [run]: fit, [`${kubeletFolder}/00-k3s-defaults.conf`]: `resolvConf: ${run}\n` },
      { by: 'host', conf: { path: run } },
    ],
    [
      'what k3s wrote down rather than what it is told since',
      {
        [etc]: fit,
        [config]: 'resolv-conf: /etc/new.conf\n',
        [`${kubeletFolder}/00-k3s-defaults.conf`]: `resolvConf: ${etc}\n`,
      },
      { by: 'host', conf: { path: etc } },
    ],
    [
      'what k3s wrote down because it was told to',
      {
        [etc]: fit,
        [config]: 'resolv-conf: /etc/new.conf\n',
        [`${kubeletFolder}/00-k3s-defaults.conf`]: 'resolvConf: /etc/new.conf\n',
      },
      { by: 'option', from: config, conf: { path: '/etc/new.conf' } },
    ],
    [
      'what the operator told kubelet alone',
      {
        [`${kubeletFolder}/00-k3s-defaults.conf`]: `resolvConf: ${etc}\n`,
        [`${kubeletFolder}/50-own.conf`]: '"resolvConf": "/etc/own.conf"\n',
      },
      { by: 'option', from: `${kubeletFolder}/50-own.conf`, conf: { path: '/etc/own.conf' } },
    ],
  ])('%s', async (_what, files, expected) => {
    expect((await resolvers(files)).kubelet).toMatchObject({ kind: 'known', ...expected });
  });

  test("nobody knows what where k3s' configuration cannot be read", async () => {
    expect((await resolvers({ [etc]: fit, [config]: 'resolv-conf: [\n' })).kubelet).toEqual({
      kind: 'unknown',
      reason: `${config} is no mapping in YAML that can be read`,
    });
  });
});

describe('k3s is told', () => {
  const dropIn = (name: string) => `${config}.d/${name}`;
  const unit = '/etc/systemd/system/k3s.service';
  test.each<[string, Parameters<typeof given>, object]>([
    ['nothing', [{}], { resolvConf: undefined, disabled: [] }],
    [
      'nothing by what says nothing of it',
      [{ [config]: 'token: x\n: broken [\n' }],
      { resolvConf: undefined },
    ],
    [
      'by the last of its files',
      [
        {
          [config]: 'resolv-conf: /a\n',
          [dropIn('90.yaml')]: 'resolv-conf: /c\n',
          [dropIn('10.yml')]: 'resolv-conf: "/b"\n',
        },
      ],
      { resolvConf: { value: '/c', from: dropIn('90.yaml') } },
    ],
    [
      'not by a file that k3s does not read',
      [{ [config]: 'resolv-conf: /a\n', [dropIn('90.yaml.bak')]: 'resolv-conf: /c\n' }],
      { resolvConf: { value: '/a' } },
    ],
    [
      'by its unit, before its files',
      [
        {
          [config]: 'resolv-conf: /a\n',
          [unit]:
            "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--resolv-conf' \\\n\t'/b' \\\n\n",
        },
      ],
      { resolvConf: { value: '/b', from: unit } },
    ],
    [
      'by its command line',
      [{ [config]: 'resolv-conf: /a\n' }, ['k3s', 'server', '--resolv-conf=/b']],
      { resolvConf: { value: '/b', from: 'the command line of k3s' } },
    ],
    [
      "by its unit's environment, if nothing else tells",
      [{ [`${unit}.env`]: "K3S_TOKEN=x\nK3S_RESOLV_CONF='/e'\n" }],
      { resolvConf: { value: '/e', from: `${unit}.env` } },
    ],
    [
      'by what it hands on to kubelet',
      [{ [config]: 'resolv-conf: /a\nkubelet-arg:\n- v=2\n- resolv-conf=/k\n' }],
      { resolvConf: { value: '/k', from: config } },
    ],
    [
      'to leave components away',
      [
        {
          [config]: 'disable: [traefik]\n',
          [unit]: 'ExecStart=/usr/local/bin/k3s server --disable=coredns,servicelb --disable x\n',
        },
      ],
      { disabled: ['traefik', 'coredns', 'servicelb', 'x'] },
    ],
    [
      'to leave others away than before',
      [{ [config]: 'disable: coredns\n', [dropIn('a.yaml')]: 'disable:\n- traefik\n- servicelb\n' }],
      { disabled: ['traefik', 'servicelb'] },
    ],
    [
      'to leave more away than before',
      [{ [config]: 'disable: coredns\n', [dropIn('a.yaml')]: 'disable+:\n- traefik\n' }],
      { disabled: ['coredns', 'traefik'] },
    ],
  ])('%s', async (_what, node, expected) => {
    expect(await options(...node)).toMatchObject({ kind: 'known', ...expected });
  });

  test('nobody knows what by a file elsewhere', async () => {
    expect(await options({}, ['k3s', 'server', '--config', '/root/k3s.yaml'])).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('has k3s read /root/k3s.yaml'),
    });
  });
});

describe('servers that the network gave', () => {
  test.each<[string, string, string, readonly string[]]>([
    [
      'networkd',
      '/run/systemd/netif/leases/2',
      'ADDRESS=10.0.0.2\nDNS=192.0.2.1 192.0.2.2\nNTP=192.0.2.3\n',
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      'netplan',
      '/run/systemd/network/10-netplan-eth0.network',
      '[Network]\nDNS=192.0.2.1\nDNS=2001:db8::1#dns.example\n',
      ['192.0.2.1', '2001:db8::1'],
    ],
    [
      'dhclient, the last lease',
      '/var/lib/dhcp/dhclient.eth0.leases',
      'lease {\n  option domain-name-servers 192.0.2.9;\n}\nlease {\n  option domain-name-servers 192.0.2.1,192.0.2.2;\n}\n',
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      'dhclient for IPv6',
      '/var/lib/dhcp/dhclient6.leases',
      'lease6 {\n  option dhcp6.name-servers 2001:db8::1;\n}\n',
      ['2001:db8::1'],
    ],
    ['NetworkManager', '/run/NetworkManager/no-stub-resolv.conf', 'nameserver 192.0.2.1\n', ['192.0.2.1']],
    ['nobody who writes no address', '/run/systemd/netif/leases/2', 'DNS=\nDNS=dns.example 999.1.1.1\n', []],
    ['nobody whose file is another', '/run/systemd/netif/leases/.#2', 'DNS=192.0.2.1\n', []],
  ])('%s', async (_who, file, text, addresses) => {
    expect((await resolvers({ [file]: text })).leased).toEqual(
      addresses.map((address) => ({ address, file })),
    );
  });

  test('are listed once', async () => {
    const files = {
      '/run/systemd/netif/leases/2': 'DNS=192.0.2.1\n',
      '/run/systemd/netif/leases/3': 'DNS=192.0.2.1\n',
    };
    expect((await resolvers(files)).leased).toHaveLength(1);
  });
});

describe('a process of CoreDNS', () => {
  type Files = readonly { readonly path: string; readonly text: string }[];
  async function local(files: Files, { api = true } = {}) {
    const { context } = await dnsNode({
      edits: {
        texts: { ...runsHere.texts },
        host: api ? {} : { kube: [] },
        add: { processes: [{ pid: 4711, name: 'coredns' }], files: [...files] },
      },
    });
    const { processes } = await context.get(localCoreDnsFact);
    return processes.map(({ pid, pod }) => `${pid} ${pod}`);
  }

  const trie = (address: string) =>
    `Main:\n  +-- 10.42.0.0/16 2 0 2\n     |-- ${address}\n        /32 host LOCAL\n`;
  const ofHost = { path: '/proc/self/net/fib_trie', text: trie('203.0.113.10') };
  const cgroup = (text: string) => ({ path: '/proc/4711/cgroup', text });
  const network = (address: string) => ({ path: '/proc/4711/net/fib_trie', text: trie(address) });
  const pod = 'coredns-6799fbcd5-x7k2p';

  test.each<[string, Files, readonly string[]]>([
    ['is of the pod whose container it is in', [cgroup('0::/kubepods/burstable/pod1/aa\n')], [`4711 ${pod}`]],
    [
      "is of it in systemd's cgroups",
      [cgroup('0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-aa.scope\n')],
      [`4711 ${pod}`],
    ],
    ['is of no pod whose id only ends like it', [cgroup('0::/kubepods/burstable/pod1/baa\n')], []],
    ['is of the pod whose address it has', [ofHost, network('10.42.1.5')], [`4711 ${pod}`]],
    ['is of no pod with another address', [ofHost, network('10.42.1.55')], []],
    [
      "is of no pod for having the host's network",
      [{ ...ofHost, text: trie('10.42.1.5') }, network('10.42.1.5')],
      [],
    ],
    ['is of no pod without any proof', [], []],
  ])('%s', async (_what, files, expected) => {
    expect(await local(files)).toEqual(expected);
  });

  test('counts without the API where its network is another than ours', async () => {
    expect(await local([ofHost, network('10.42.1.5')], { api: false })).toEqual(['4711 undefined']);
    expect(await local([ofHost, network('203.0.113.10')], { api: false })).toEqual([]);
  });

  test('sees a resolv.conf of its own', async () => {
    const { context } = await dnsNode({ edits: runsHere });
    expect((await context.get(localCoreDnsFact)).processes[0]?.resolvConf).toEqual({
      kind: 'read',
      path: '/proc/4711/root/etc/resolv.conf',
      nameservers: ['192.0.2.7', '192.0.2.8'],
      unfit: undefined,
    });
  });
});
