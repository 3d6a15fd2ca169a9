import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { nodeList } from '../overlay/node-objects.ts';
import type { OverlaySpec } from '../overlay/overlay-member.ts';
import { dnsAddress } from './stand-in/kube-proxy.ts';

export interface CoreDnsObjects {
  /** Of ConfigMap `coredns`; see `recordedCorefile`. */
  readonly corefile: string;
  /** ConfigMap `coredns-custom`; undefined: there is none. */
  readonly custom: Readonly<Record<string, string>> | undefined;
}

const items = z.object({ items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })) });
const withSpec = z.looseObject({ spec: z.looseObject({}) });
const fixture = new URL('../../../fixtures/coredns-on-unreachable-node/', import.meta.url);

/**
 * What the API of a cluster with CoreDNS answers: the recorded Deployment, ConfigMap and Service, on these nodes.
 */
export async function clusterObjects(
  members: readonly OverlaySpec[],
  { corefile, custom }: CoreDnsObjects,
): Promise<readonly unknown[]> {
  const [deployment, config, services] = await Promise.all(
    ['deployment', 'coredns', 'services'].map(readFixture),
  );
  const hosts = members.map(({ addresses, hostname }) => `${addresses.eth0.ipv4} ${hostname}\n`).join('');
  const service = withSpec.parse(items.parse(services).items[0]);
  return [
    deployment,
    { ...z.looseObject({}).parse(config), data: { Corefile: corefile, NodeHosts: hosts } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      ...service,
      spec: { ...service.spec, clusterIP: dnsAddress, clusterIPs: [dnsAddress] },
    },
    ...(custom === undefined ? [] : [customMap(custom)]),
    ...['default', 'kube-system'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })),
    kubernetesService,
    kubernetesSlice(members[0]?.addresses.eth0.ipv4 ?? ''),
    ...items.parse(nodeList(members)).items.map(asNode),
  ];
}

/** As it was recorded, but that it looks for changes every two seconds and not every thirty. */
export async function recordedCorefile(): Promise<string> {
  const { data } = z
    .looseObject({ data: z.object({ Corefile: z.string() }) })
    .parse(await readFixture('coredns'));
  return quickly(data.Corefile);
}

/** The same from k3s since October 2025: the import stands ahead of `forward`, which names resolv.conf. */
export async function newerCorefile(forward = '/etc/resolv.conf'): Promise<string> {
  const old = (await recordedCorefile()).split('\n');
  const isMoved = (line: string) => /^ {4}(forward|import) /.test(line);
  const rest = old.filter((line) => !isMoved(line));
  const end = rest.indexOf('}');
  const moved = ['    import /etc/coredns/custom/*.override', `    forward . ${forward}`];
  return rest.toSpliced(end, 0, ...moved).join('\n');
}

function quickly(corefile: string): string {
  return corefile.replace(/^( +)reload$/m, '$1reload 2s 1s');
}

export async function readFixture(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`${name}.json`, fixture), 'utf8'));
}

function customMap(data: Readonly<Record<string, string>>) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'coredns-custom', namespace: 'kube-system' },
    data,
  };
}

/** What the scheduler looks at besides. */
function asNode(node: Readonly<Record<string, unknown>>) {
  const { metadata } = z
    .looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }) })
    .parse(node);
  const labels = { ...metadata.labels, 'kubernetes.io/os': 'linux' };
  return { apiVersion: 'v1', kind: 'Node', ...node, metadata: { ...metadata, labels } };
}

const kubernetesService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: {
    clusterIP: '10.43.0.1',
    clusterIPs: ['10.43.0.1'],
    type: 'ClusterIP',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
  },
} as const;

function kubernetesSlice(address: string) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  };
}
