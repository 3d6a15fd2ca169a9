import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { upstreamAnswersFact } from '../../../src/facts/dns/upstream-answers.ts';
import { type Upstreams, upstreamsFact } from '../../../src/facts/dns/upstreams.ts';
import type { Edits } from '../edited-recording.ts';
import {
  answered,
  both,
  type DnsNode,
  dnsNode,
  forwardTo,
  onlyAnswering,
  runsHere,
  silence,
  withCorefile,
  withCustom,
} from './dns-node.ts';

async function upstreams(edits: Edits = {}, statuses = {}): Promise<Upstreams> {
  const { context } = await dnsNode({ edits, statuses });
  return context.get(upstreamsFact);
}

/** `ZONE SERVER:PORT (ORIGIN)` */
function printed(found: Upstreams): readonly string[] {
  if (found.kind !== 'known') return [found.reason];
  return found.upstreams.map(({ zone, server, port, protocol, serverName, origin }) => {
    const tls = protocol === 'tls' ? ` by TLS as ${serverName}` : '';
    return `${zone} ${server}:${port}${tls} (${origin})`;
  });
}

describe('CoreDNS forwards', () => {
  test('to the servers of the recording', async () => {
    const found = await upstreams({});
    expect(printed(found)).toEqual(['. 8.8.8.8:53 (Corefile, line 15)', '. 1.1.1.1:53 (Corefile, line 15)']);
    expect(found).toMatchObject({ doubts: [] });
  });

  test('in the order of the Corefile, without what is never asked', async () => {
    const server = 'example.org:53 {\n    forward . 192.0.2.3:5353 192.0.2.4\n}\n';
    const custom = { 'a.override': 'forward . 192.0.2.1\n', 'b.server': server };
    expect(printed(await upstreams(withCustom(custom)))).toEqual([
      '. 8.8.8.8:53 (Corefile, line 15)',
      '. 1.1.1.1:53 (Corefile, line 15)',
      'example.org 192.0.2.3:5353 (/etc/coredns/custom/b.server, line 2)',
      'example.org 192.0.2.4:53 (/etc/coredns/custom/b.server, line 2)',
    ]);
  });

  test('by TLS', async () => {
    const tls = forwardTo('. tls://9.9.9.9 {\n      tls_servername dns.quad9.net\n    }');
    expect(printed(await upstreams(tls))).toEqual([
      '. 9.9.9.9:853 by TLS as dns.quad9.net (Corefile, line 15)',
    ]);
  });

  test('to what is not understood, which is said once', async () => {
    const found = await upstreams(forwardTo('. https://dns.example/dns-query {$UPSTREAM} 192.0.2.1'));
    expect(printed(found)).toContain('. 192.0.2.1:53 (Corefile, line 15)');
    expect(found).toMatchObject({
      doubts: [
        expect.stringContaining('https://dns.example/dns-query'),
        'Corefile, line 15: {$UPSTREAM} was not asked: it holds an environment variable of CoreDNS',
      ],
    });
  });

  test.each<[string, Edits, Readonly<Record<string, number>>, object]>([
    [
      'may not be read',
      {},
      { '/api/v1/namespaces/kube-system/configmaps/coredns': 403 },
      { reason: 'needs: get configmaps in kube-system', forbidden: true },
    ],
    [
      'is not there',
      {},
      { '/api/v1/namespaces/kube-system/configmaps/coredns': 404 },
      { reason: 'there is no ConfigMap coredns in kube-system', forbidden: false },
    ],
    ['is broken', withCorefile(() => '.:53 {'), {}, { forbidden: false }],
  ])('to nobody knows whom where the Corefile %s', async (_what, edits, statuses, expected) => {
    expect(await upstreams(edits, statuses)).toMatchObject({ kind: 'unavailable', ...expected });
  });
});

describe('a forward to /etc/resolv.conf', () => {
  const toFile = forwardTo('. /etc/resolv.conf');

  test('is what the pod sees where it runs here', async () => {
    expect(printed(await upstreams(both(toFile, runsHere)))).toEqual([
      '. 192.0.2.7:53 (/etc/resolv.conf of pod coredns-6799fbcd5-x7k2p)',
      '. 192.0.2.8:53 (/etc/resolv.conf of pod coredns-6799fbcd5-x7k2p)',
    ]);
  });

  test('is in doubt where the pod runs on another node, which is named', async () => {
    expect(await upstreams(toFile)).toEqual({
      kind: 'known',
      upstreams: [],
      doubts: [
        'what /etc/resolv.conf of pod coredns-6799fbcd5-x7k2p says is known on node aws-worker-1 alone',
      ],
    });
  });

  test('is what kubelet gives to pods where the process is hidden', async () => {
    const hidden = both(toFile, { texts: runsHere.texts ?? {} });
    expect(printed(await upstreams(hidden))).toEqual([
      '. 185.12.64.1:53 (/run/systemd/resolve/resolv.conf)',
      '. 185.12.64.2:53 (/run/systemd/resolve/resolv.conf)',
      '. 2a01:4ff:ff00::add:1:53 (/run/systemd/resolve/resolv.conf)',
    ]);
  });

  test('is in doubt where no pod runs', async () => {
    const none = both(toFile, { texts: { 'pods.json': () => '{"items":[]}' } });
    expect(await upstreams(none)).toMatchObject({
      upstreams: [],
      doubts: ["/etc/resolv.conf is a file of CoreDNS' pods, and which of them run is not known"],
    });
  });

  test('that names something else than an address says so', async () => {
    const strange = both(toFile, {
      ...runsHere,
      add: {
        ...runsHere.add,
        files: [
          { path: '/proc/4711/cgroup', text: '0::/kubepods/aa\n' },
          { path: '/proc/4711/root/etc/resolv.conf', text: 'nameserver resolver.example\n' },
        ],
      },
    });
    expect(await upstreams(strange)).toMatchObject({
      upstreams: [],
      doubts: [
        '/etc/resolv.conf of pod coredns-6799fbcd5-x7k2p: resolver.example was not asked: it is no address',
      ],
    });
  });

  test('or to a file in coredns-custom is what stands there', async () => {
    const mounted = both(
      forwardTo('. /etc/coredns/custom/upstream.conf'),
      withCustom({ 'upstream.conf': 'nameserver 192.0.2.9\n' }),
    );
    expect(printed(await upstreams(mounted))).toEqual(['. 192.0.2.9:53 (/etc/coredns/custom/upstream.conf)']);
  });
});

describe('the servers are asked', () => {
  const questions = ({ asked }: DnsNode) => asked.filter((each) => !each.startsWith('GET '));

  test('by both protocols, with those of the host, all at once, and once if they answer', async () => {
    const node = await dnsNode({ network: () => answered() });
    const { question, fromHost, fromPod } = await node.context.get(upstreamAnswersFact);
    const servers = [
      '8.8.8.8',
      '1.1.1.1',
      '127.0.0.53',
      '185.12.64.1',
      '185.12.64.2',
      '2a01:4ff:ff00::add:1',
    ];
    expect(questions(node)).toEqual([
      servers
        .flatMap((server) => [`${server} udp registry-1.docker.io A`, `${server} tcp registry-1.docker.io A`])
        .join(' + '),
    ]);
    expect(question).toBe('registry-1.docker.io');
    expect([...fromHost.keys()]).toEqual(servers);
    expect(fromPod).toEqual({ kind: 'not-asked', reason: 'no process of CoreDNS is seen on this node' });
  });

  test('of another zone for its SOA, by TLS for what the certificate is for, with the configured name', async () => {
    const defaults = defaultConfig();
    const forwarders = { ...defaults.checks['dns-forwarders'], name: 'example.net' };
    const tls = '. tls://9.9.9.9 {\n      tls_servername dns.quad9.net\n    }';
    const node = await dnsNode({
      edits: both(
        forwardTo(tls),
        withCustom({ 'b.server': 'example.org {\n forward . 192.0.2.3:5353\n}\n' }),
      ),
      network: ({ protocol, serverName }) =>
        protocol === 'tls' && serverName !== 'dns.quad9.net' ? silence : answered(),
      config: { ...defaults, checks: { ...defaults.checks, 'dns-forwarders': forwarders } },
    });
    const { fromHost } = await node.context.get(upstreamAnswersFact);
    const [asked = ''] = questions(node);
    expect(asked).toContain('9.9.9.9:853 tls example.net A');
    expect(asked).toContain('192.0.2.3:5353 udp example.org SOA + 192.0.2.3:5353 tcp example.org SOA');
    expect(fromHost.get('9.9.9.9:853')?.byProtocol).toMatchObject({ tls: { verdict: 'answers' } });
  });

  test('from within the pod, too, where it runs here', async () => {
    const node = await dnsNode({
      edits: runsHere,
      network: ({ server }, process) => (process === 4711 && server === '8.8.8.8' ? silence : answered()),
    });
    const { fromHost, fromPod } = await node.context.get(upstreamAnswersFact);
    expect(fromHost.get('8.8.8.8')?.byProtocol.udp?.verdict).toBe('answers');
    if (fromPod.kind !== 'asked') throw new Error(fromPod.reason);
    expect(fromPod.pod).toBe('coredns-6799fbcd5-x7k2p');
    expect([...fromPod.answers].map(([key, { byProtocol }]) => [key, byProtocol.tcp?.verdict])).toEqual([
      ['8.8.8.8', 'timed-out'],
      ['1.1.1.1', 'answers'],
    ]);
  });

  test('which is not done where it cannot be done', async () => {
    const { context } = await dnsNode({
      edits: runsHere,
      network: (_, process) =>
        process === undefined ? answered() : { kind: 'not-asked', reason: 'there is no nsenter' },
    });
    expect((await context.get(upstreamAnswersFact)).fromPod).toEqual({
      kind: 'not-asked',
      reason: 'there is no nsenter',
    });
  });

  test('not at all where there is no cluster', async () => {
    const node = await dnsNode({ edits: { host: { kube: [], processes: [] } }, network: () => answered() });
    const { fromHost, fromPod } = await node.context.get(upstreamAnswersFact);
    expect([fromHost.size, fromPod.kind, questions(node)]).toEqual([0, 'not-asked', []]);
  });

  test('of the host alone where the Corefile cannot be read', async () => {
    const { context } = await dnsNode({
      network: onlyAnswering('127.0.0.53'),
      statuses: { '/api/v1/namespaces/kube-system/configmaps/coredns': 403 },
    });
    const { fromHost } = await context.get(upstreamAnswersFact);
    expect([...fromHost.keys()]).toEqual([
      '127.0.0.53',
      '185.12.64.1',
      '185.12.64.2',
      '2a01:4ff:ff00::add:1',
    ]);
  });
});
