import { expect, test } from 'vitest';
import { type Changes, diagnose, newCorefile, repair, takeSteps } from './cluster.ts';

const corefile = newCorefile('forward . 8.8.8.8');
const hetzner = { '185.12.64.1': 'answers', '185.12.64.2': 'answers' } as const;

/** Whom the plan has CoreDNS ask. */
async function chosen(changes: Changes): Promise<string | undefined> {
  const given = { corefile, ...changes };
  const { steps } = await repair(given);
  return /^forward \. (.*)$/m.exec(
    takeSteps(given, steps).custom?.['k3s-doctor-upstream.override'] ?? '',
  )?.[1];
}

const all: Changes = {
  config: { candidates: ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4'] },
  hostServers: ['10.2.0.1', '10.2.0.2'],
  leased: ['10.3.0.1'],
};
const configured = {
  '10.1.0.1': 'answers',
  '10.1.0.2': 'answers',
  '10.1.0.3': 'answers',
  '10.1.0.4': 'answers',
} as const;
const host = { '10.2.0.1': 'answers', '10.2.0.2': 'answers' } as const;
const leased = { '10.3.0.1': 'answers' } as const;

test('what is configured comes first, then the host’s own, its leases, and a provider’s; three at most', async () => {
  const everybody = { ...configured, ...host, ...leased, ...hetzner } as const;
  expect(await chosen({ ...all, network: everybody })).toBe('10.1.0.1 10.1.0.2 10.1.0.3');
  expect(await chosen({ ...all, network: { ...host, ...leased, ...hetzner } })).toBe('10.2.0.1 10.2.0.2');
  expect(await chosen({ ...all, network: { ...leased, ...hetzner } })).toBe('10.3.0.1');
  expect(await chosen({ ...all, network: hetzner })).toBe('185.12.64.1 185.12.64.2');
});

test('those of one kind alone, as others may know other names', async () => {
  expect(await chosen({ ...all, network: { '10.1.0.4': 'answers', ...host } })).toBe('10.1.0.4');
  const two = { ...hetzner, '108.61.10.10': 'answers' } as const;
  expect(await chosen({ network: two })).toBe('185.12.64.1 185.12.64.2');
});

test('one that knows no such name is not put beside one that does, nor taken in its stead', async () => {
  const none = 'says-none';
  expect(await chosen({ ...all, network: { '10.2.0.1': none, '10.2.0.2': 'answers' } })).toBe('10.2.0.2');
  expect(await chosen({ ...all, network: { '10.2.0.1': none, '10.2.0.2': none, ...hetzner } })).toBe(
    '185.12.64.1 185.12.64.2',
  );
  expect(await chosen({ ...all, network: { '10.2.0.1': none, '10.2.0.2': none } })).toBe('10.2.0.1 10.2.0.2');
  // The operator knows what his servers know.
  expect(await chosen({ ...all, network: { '10.1.0.1': none, ...host } })).toBe('10.1.0.1');
});

test('one that answers over one protocol alone is not taken, and a slow one last', async () => {
  const network = { ...configured, '10.1.0.1': { udp: 'answers' }, '10.1.0.2': 'slow' } as const;
  expect(await chosen({ ...all, network })).toBe('10.1.0.3 10.1.0.4 10.1.0.2');
  expect(await chosen({ ...all, network: { '10.1.0.1': { tcp: 'answers' }, ...hetzner } })).toBe(
    '185.12.64.1 185.12.64.2',
  );
});

test('where CoreDNS can be asked from, it has to get the answer', async () => {
  const network = { ...configured, ...hetzner } as const;
  expect(await chosen({ ...all, network, podNetwork: { '185.12.64.2': 'answers' } })).toBe('185.12.64.2');
  const { findings } = await diagnose({ ...all, corefile, network, podNetwork: {} });
  expect(findings[0]?.remedy).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('CoreDNS gets no answer from there either'),
  });
});

test('servers that answer over TCP alone are of no use to pods, and are replaced', async () => {
  expect(await chosen({ network: { '8.8.8.8': { tcp: 'answers' }, ...hetzner } })).toBe(
    '185.12.64.1 185.12.64.2',
  );
});

test('CoreDNS is not told to ask itself, nor what only this host can mean', async () => {
  const config = { candidates: ['10.43.0.10', '10.42.0.5', '127.0.0.53', 'fe80::1', '10.1.0.1'] };
  const network = Object.fromEntries(config.candidates.map((each) => [each, 'answers'] as const));
  expect(await chosen({ config, network })).toBe('10.1.0.1');
});

test('nobody who answers is no plan, and says whom to name', async () => {
  const { findings, plan } = await diagnose({ corefile });
  expect(findings).toMatchObject([
    {
      code: 'forwarders-dead',
      remedy: { kind: 'none', reason: expect.stringContaining('checks.dns-forwarders.candidates') },
    },
  ]);
  expect(plan(() => true)).toEqual({ steps: [], repairs: [] });
});

test('an IPv6 server is not given to pods that have IPv4, if nobody asked from there', async () => {
  const config = { candidates: ['2001:db8::1', '10.1.0.1'] };
  const context: Changes = {
    config,
    network: { '2001:db8::1': 'answers', '10.1.0.1': 'answers' },
    hostFamilies: ['ipv4', 'ipv6'],
  };
  expect(await chosen(context)).toBe('10.1.0.1');
  expect(await chosen({ ...context, podNetwork: context.network ?? {} })).toBe('2001:db8::1 10.1.0.1');
});
