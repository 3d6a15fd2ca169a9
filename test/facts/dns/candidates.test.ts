import { describe, expect, test } from 'vitest';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { candidatesFact } from '../../../src/facts/dns/candidates.ts';
import { isPublicResolver } from '../../../src/facts/dns/public-resolvers.ts';
import type { Edits } from '../edited-recording.ts';
import { both, type DnsNode, dnsNode, forwardTo, type Network, onlyAnswering, runsHere } from './dns-node.ts';

interface Given {
  readonly edits?: Edits;
  readonly network: Network;
  readonly settings?: Partial<Config['checks']['dns-forwarders']>;
  readonly statuses?: Readonly<Record<string, number>>;
}

async function candidates({ edits = {}, network, settings, statuses = {} }: Given) {
  const defaults = defaultConfig();
  const forwarders = { ...defaults.checks['dns-forwarders'], ...settings };
  const config = { ...defaults, checks: { ...defaults.checks, 'dns-forwarders': forwarders } };
  const node = await dnsNode({ edits, network, statuses, config });
  return { found: await node.context.get(candidatesFact), asked: askedServers(node) };
}

function askedServers({ asked }: DnsNode): ReadonlySet<string> {
  const questions = asked.filter((each) => !each.startsWith('GET ')).flatMap((each) => each.split(' + '));
  return new Set(questions.map((each) => each.replace(/^\d+: /, '').split(' ')[0] ?? ''));
}

const hetzner = ['185.12.64.1', '185.12.64.2'];

test('nobody else is asked while all forwarders answer', async () => {
  const { found, asked } = await candidates({ network: onlyAnswering('8.8.8.8', '1.1.1.1', ...hetzner) });
  expect(found).toEqual({ candidates: [], publicAnswers: new Map() });
  expect([...asked]).toEqual(['8.8.8.8', '1.1.1.1', '127.0.0.53', ...hetzner, '2a01:4ff:ff00::add:1']);
});

test('one that is silent has the public ones asked, and no candidate', async () => {
  const { found } = await candidates({ network: onlyAnswering('8.8.8.8') });
  expect(found.candidates).toEqual([]);
  expect(
    [...found.publicAnswers].map(([key, { byProtocol }]) => `${key} ${byProtocol.udp?.verdict}`),
  ).toEqual([
    '8.8.8.8 answers',
    '1.1.1.1 timed-out',
    '8.8.4.4 timed-out',
    '1.0.0.1 timed-out',
    '9.9.9.9 timed-out',
    '149.112.112.112 timed-out',
    '208.67.222.222 timed-out',
    '208.67.220.220 timed-out',
  ]);
});

describe('when no forwarder answers', () => {
  const network = onlyAnswering(...hetzner);

  test('candidates are asked, each once for its best reason', async () => {
    const { found } = await candidates({
      network,
      settings: { candidates: ['192.0.2.53'], providers: { hetzner: ['185.12.64.1', '185.12.64.9'] } },
      edits: {
        add: {
          directories: [{ path: '/run/systemd/netif/leases', entries: ['2'] }],
          files: [
            { path: '/run/systemd/netif/leases/2', text: 'ADDRESS=203.0.113.10\nDNS=192.0.2.60 127.0.0.1\n' },
          ],
        },
      },
    });
    expect(
      found.candidates.map(({ server, origin, kind, answer, fromPod }) => [
        `${server} ${kind} (${origin})`,
        answer.byProtocol.udp?.verdict,
        fromPod,
      ]),
    ).toEqual([
      ['192.0.2.53 configured (configured)', 'timed-out', undefined],
      ['185.12.64.1 host (resolver of this host)', 'answers', undefined],
      ['185.12.64.2 host (resolver of this host)', 'answers', undefined],
      ['192.0.2.60 leased (DHCP (/run/systemd/netif/leases/2))', 'timed-out', undefined],
      ['185.12.64.9 provider (provider hetzner)', 'timed-out', undefined],
    ]);
  });

  test('they are those of a family that this host has', async () => {
    const providers = { hetzner: ['2a01:4ff:ff00::add:1'] };
    const without = await candidates({ network, settings: { providers } });
    expect(without.found.candidates.map(({ server }) => server)).toEqual(hetzner);
    const withIpv6 = await candidates({
      network,
      settings: { providers },
      edits: { host: { localAddresses: { ipv4: ['203.0.113.10'], ipv6: ['2001:db8::10'] } } },
    });
    expect(withIpv6.found.candidates.map(({ server }) => server)).toEqual([
      ...hetzner,
      '2a01:4ff:ff00::add:1',
    ]);
    expect([...withIpv6.found.publicAnswers.keys()]).toContain('2001:4860:4860::8888');
  });

  test('they are asked from within the pod, too, where it runs here', async () => {
    const { found } = await candidates({
      edits: runsHere,
      network: (question, process) =>
        onlyAnswering(...(process === 4711 ? ['185.12.64.2'] : hetzner))(question, process),
      settings: { providers: {} },
    });
    expect(
      found.candidates.map(({ server, answer, fromPod }) => [
        server,
        answer.byProtocol.tcp?.verdict,
        fromPod?.byProtocol.tcp?.verdict,
      ]),
    ).toEqual([
      ['185.12.64.1', 'answers', 'timed-out'],
      ['185.12.64.2', 'answers', 'answers'],
    ]);
  });
});

test('what the pod gets from the forwarders counts more than what the host gets', async () => {
  const { found } = await candidates({
    edits: runsHere,
    network: ({ server }, process) =>
      onlyAnswering(...(process === undefined ? ['8.8.8.8', '1.1.1.1'] : []))(
        { server, protocol: 'udp', name: '', type: 'A', timeoutMs: 1 },
        process,
      ),
  });
  expect(found.candidates.length).toBeGreaterThan(0);
});

describe('where no forwarder is known', () => {
  const edits = forwardTo('. /etc/resolv.conf');

  test('candidates are asked when CoreDNS does not know the world', async () => {
    const { found } = await candidates({
      edits,
      network: ({ server, name }, process) =>
        onlyAnswering(...(name.endsWith('.cluster.local') ? ['10.42.1.5'] : hetzner))(
          { server, name, protocol: 'udp', type: 'A', timeoutMs: 1 },
          process,
        ),
    });
    expect(found.candidates.length).toBeGreaterThan(0);
  });

  test('and not when it does', async () => {
    const { found } = await candidates({ edits, network: onlyAnswering('10.42.1.5') });
    expect(found.candidates).toEqual([]);
  });

  test('nor where the Corefile cannot be read: nothing could be repaired', async () => {
    const statuses = { '/api/v1/namespaces/kube-system/configmaps/coredns': 403 };
    const { found } = await candidates({ network: onlyAnswering(), statuses });
    expect(found).toEqual({ candidates: [], publicAnswers: new Map() });
  });

  test('nor where nothing is forwarded', async () => {
    const none = both(forwardTo('example.org 192.0.2.3'), {});
    const { found } = await candidates({ edits: none, network: onlyAnswering() });
    expect(found.candidates).toEqual([]);
  });
});

test('public resolvers are known however they are spelt', () => {
  expect(
    ['8.8.8.8', '1.0.0.1', '2001:4860:4860::8888', '2001:4860:4860:0:0:0:0:8844'].every(isPublicResolver),
  ).toBe(true);
  expect(['185.12.64.1', '8.8.8.9', 'dns.google', ''].some(isPublicResolver)).toBe(false);
});
