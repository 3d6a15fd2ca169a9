import { expect, test } from 'vitest';
import { type Target, traceServices } from '../../../src/cli/trace-services.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import type { Backend } from '../../../src/netfilter/ruleset.ts';
import { type Edits, withLines } from '../../facts/edited-recording.ts';
import { gather } from '../../facts/observed-host.ts';

const web: Target = { family: 'ipv4', protocol: 'tcp', address: '10.43.0.80', port: 80, isOwn: false };
const nodePort: Target = { ...web, address: '10.0.0.5', port: 30_080, isOwn: true };
const hostPort: Target = { ...web, address: '10.0.0.5', port: 80, isOwn: true };
const bothServices = 'kube-proxy-legacy-then-nft';
const bothHostPorts = 'hostport-ghost-nft-first/2-ghost';
const slices = 'GET /apis/discovery.k8s.io/v1/endpointslices';
const noApi = { kube: [{ path: '/apis/discovery.k8s.io/v1/endpointslices', unavailable: 'refused' }] };

interface On {
  readonly edits?: Edits;
  readonly first?: Backend;
  /** YAML. */
  readonly config?: string;
}

async function trace(fixture: string, target: Target, { edits = {}, first, config }: On = {}) {
  const fact = {
    id: 'trace',
    gather: (context: Parameters<typeof traceServices>[0]) => traceServices(context, target, first),
  };
  const parsed = config === undefined ? {} : { config: (await parseConfig('test', config)).config };
  const { value, asked } = await gather(fact, fixture, { edits, ...parsed });
  const services = value.services.map(({ backend, endpoints, ...service }) => ({
    ...service,
    ends: `${backend}: ${endpoints.map(({ address, port, state }) => `${address}:${port} ${state}`).join(', ')}`,
  }));
  return { ...value, services, asked, ends: services.map(({ ends }) => ends) };
}

test('a Service has its endpoints of each backend for itself, live or dead by the API', async () => {
  const { services, states, notices, asked } = await trace(bothServices, web, { first: 'nft' });

  const common = {
    kind: 'service',
    name: 'default/web:http',
    address: '10.43.0.80',
    port: 80,
    protocol: 'tcp',
    chain: 'KUBE-SVC-CDGGSHYLG3RE2FKL',
    isShadowed: false,
  };
  expect(services).toEqual([
    { ...common, asked: 'second', ends: 'legacy: 10.42.0.5:8080 dead, 10.42.0.6:8080 dead' },
    { ...common, asked: 'first', ends: 'nft: 10.42.0.9:8080 live' },
  ]);
  expect(states?.from).toMatch(/^by the EndpointSlices of /);
  expect(states).not.toHaveProperty('missing');
  expect(notices).toEqual([]);
  expect(asked.filter((question) => question.startsWith('GET'))).toEqual([slices]);
});

test('without the API the live backend says which endpoints live, and why is told', async () => {
  const { ends, states } = await trace(bothServices, web, { first: 'nft', edits: { host: noApi } });

  expect(ends).toEqual(['legacy: 10.42.0.5:8080 dead, 10.42.0.6:8080 dead', 'nft: 10.42.0.9:8080 live']);
  expect(states).toEqual({
    from: 'by what iptables-nft, the live backend, says',
    missing: 'the API was not read: refused',
  });
});

test.each<[string, Edits]>([
  [
    'a kube-proxy of its own may write to another backend',
    { host: noApi, add: { processes: [{ name: 'kube-proxy' }] } },
  ],
  [
    "kubelet's mark is in both backends",
    {
      host: noApi,
      texts: { 'iptables-legacy-save.txt': withLines('mangle', { chains: ['KUBE-IPTABLES-HINT'] }) },
    },
  ],
])('without the API nothing is called dead where %s', async (_, edits) => {
  const { ends, states } = await trace(bothServices, web, { first: 'nft', edits });

  expect(ends).toEqual([
    'legacy: 10.42.0.5:8080 unknown, 10.42.0.6:8080 unknown',
    'nft: 10.42.0.9:8080 unknown',
  ]);
  expect(states).toMatchObject({ from: 'not known' });
});

test.each<[string, Partial<Target>]>([
  ['another address', { address: '10.43.0.99' }],
  ['another port', { port: 81 }],
  ['no port', { port: undefined }],
  ['another protocol', { protocol: 'udp' }],
  ['another family', { family: 'ipv6' }],
])('%s is nobody’s, and nobody is asked about it', async (_, other) => {
  const { services, states, asked } = await trace(bothServices, { ...web, ...other });

  expect({ services, states }).toEqual({ services: [], states: undefined });
  expect(asked.filter((question) => /^(GET|crictl)/.test(question))).toEqual([]);
});

test('a node port is claimed at the addresses of the node', async () => {
  expect((await trace(bothServices, { ...nodePort, isOwn: false })).services).toEqual([]);
  for (const isOwn of [true, undefined]) {
    const { services } = await trace(bothServices, { ...nodePort, isOwn });
    const claim = { kind: 'service', name: 'default/web:http', address: null };
    expect(services).toMatchObject([claim, claim]);
  }
});

test('a host port is live or dead by the sandboxes that run', async () => {
  const { services, states, asked } = await trace(bothHostPorts, hostPort, { first: 'legacy' });

  expect(services).toMatchObject([
    { kind: 'host-port', name: null, asked: 'first', ends: 'legacy: 10.42.1.2:8080 dead' },
    { kind: 'host-port', name: 'default/new', asked: 'second', ends: 'nft: 10.42.1.3:8080 live' },
  ]);
  expect(states).toEqual({ from: 'by the sandboxes that the container runtime runs' });
  expect(asked.filter((question) => question.startsWith('GET'))).toEqual([]);
});

test.each<[string, On, string]>([
  ['of another runtime', { config: 'checks: {iptables-ghosts: {networks: [other]}}' }, 'unknown'],
  ['of a runtime that does not answer', { edits: { host: { commands: [] } } }, 'none'],
  [
    'that is being set up',
    {
      edits: {
        add: {
          directories: [{ path: '/var/lib/cni/networks/cbr0', entries: ['10.42.1.2'] }],
          files: [{ path: '/var/lib/cni/networks/cbr0/10.42.1.2', text: 'aaaa1111\neth0\n' }],
        },
      },
    },
    'not-ready',
  ],
])('the host port of a sandbox %s is not called dead', async (_, on, state) => {
  const { ends } = await trace(bothHostPorts, hostPort, on);
  expect(ends[0] ?? 'none').toMatch(new RegExp(`${state}$`));
});

test('of two host ports in one table the second is never reached', async () => {
  const older = withLines('nat', {
    chains: ['CNI-DN-ee38aa4d9699bb275365c'],
    rules: [
      '-A CNI-DN-ee38aa4d9699bb275365c -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.42.1.2:8080',
      '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"aaaa1111\\"" -m multiport --dports 80 -j CNI-DN-ee38aa4d9699bb275365c',
    ],
  });
  const edits = {
    texts: { 'nft-save.txt': older },
    host: { files: [{ path: '/proc/net/ip_tables_names', text: '' }] },
  };
  const { services } = await trace(bothHostPorts, hostPort, { edits });

  expect(services).toMatchObject([
    { isShadowed: false, asked: 'alone', ends: 'nft: 10.42.1.3:8080 live' },
    { isShadowed: true, ends: 'nft: 10.42.1.2:8080 dead' },
  ]);
});

test('why it is not known whose table is asked first is said', async () => {
  const { services, notices } = await trace(bothServices, web);
  expect(services).toMatchObject([{ asked: 'unknown' }, { asked: 'unknown' }]);
  expect(notices).toEqual([
    expect.stringMatching(/^whose nat table is asked first is not known, .*not recorded/),
  ]);
});

test('rules that cannot be read take nothing from the walk', async () => {
  const texts = { 'iptables-nft-save.txt': (text: string) => `${text}*nat\n` };
  const { services, notices } = await trace(bothServices, web, { edits: { texts } });
  expect(services).toEqual([]);
  expect(notices).toEqual([
    expect.stringMatching(/^which Service or host port it is sent to is not known: /),
  ]);
});
