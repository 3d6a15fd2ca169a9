/** What a person is told where nothing is planned, or what is planned does not last. */
import { expect, test } from 'vitest';
import { type Changes, diagnose, newCorefile, oldCorefile, repair, resolvConf } from './cluster.ts';

const working = { '185.12.64.1': 'answers', '185.12.64.2': 'answers' } as const;

async function reasonOf(changes: Changes): Promise<string> {
  const { findings } = await diagnose(changes);
  const remedy = findings.find(({ subject }) => subject === 'zone .')?.remedy;
  return remedy === undefined || remedy.kind === 'planned' ? 'none' : `${remedy.kind}: ${remedy.reason}`;
}

test('others that answer half are named, with what they do', async () => {
  const network = { '185.12.64.1': { udp: 'answers', tcp: 'silent' } } as const;
  expect(await reasonOf({ network })).toMatch(
    /^none: nothing else that is known answers over UDP and TCP: 185\.12\.64\.1 \(udp: answered in .*; tcp: no answer/,
  );
});

test('CoreDNS on this very node that does not answer it is the business of others', async () => {
  expect(await reasonOf({ network: working, world: 'not-reached' })).toMatch(
    /^held: a change could not be proven from here: CoreDNS does not answer this host \(coredns-health/,
  );
});

test('which resolv.conf k3s takes at its next start is not known: that is told with the plan', async () => {
  const kubelet = { kind: 'unknown', reason: 'its configuration is elsewhere' } as const;
  const { finding, steps } = await repair({ network: working, kubelet });
  expect(finding.evidence.at(-1)?.observed).toMatch(
    /; until k3s is started, as it is not known which resolv\.conf it takes then: its configuration is/,
  );
  expect(steps.filter(({ kind }) => kind === 'file-write')).toEqual([]);
});

test('a plugin that this CoreDNS may not know is told where servers are judged, too', async () => {
  const network = { '8.8.8.8': 'answers', '1.1.1.1': 'answers' } as const;
  const custom = { 'a.override': 'fowrard . 185.12.64.1\n' };
  const { outcome, limits } = await diagnose({ network, custom });
  expect({ outcome, limits }).toMatchObject({
    outcome: 'ok',
    limits: expect.arrayContaining([
      '/etc/coredns/custom/a.override, line 1: there is no plugin "fowrard": CoreDNS may not have loaded it (doctor check coredns-health)',
    ]),
  });
});

test('a server that cannot be asked is a doubt, unless CoreDNS resolves by it', async () => {
  const corefile = oldCorefile('forward . 8.8.8.8 dns.example.org');
  const unknown = await diagnose({ corefile, world: 'not-reached' });
  expect(unknown).toMatchObject({ outcome: 'unknown', findings: [] });
  expect(unknown.reasons.join('\n')).toMatch(
    /^8\.8\.8\.8 \(Corefile, line 15\) does not answer, and dns\.example\.org: not understood/,
  );
  const { outcome, findings, limits } = await diagnose({ corefile, world: { '10.42.0.5': 'answers' } });
  expect({ outcome, findings }).toEqual({ outcome: 'ok', findings: [] });
  expect(limits[0]).toMatch(
    /^Corefile, line 15: forward: "dns\.example\.org": .*: CoreDNS may not have loaded it/,
  );
});

test('of a file that k3s gives to pods nothing is known: what would be asked then is told as written', async () => {
  const network = { '8.8.8.8': 'answers', '1.1.1.1': 'answers' } as const;
  const kubelet = {
    kind: 'known',
    by: 'host',
    from: undefined,
    conf: resolvConf('/etc/resolv.conf'),
  } as const;
  const packaged = { corefile: newCorefile() };
  const { findings } = await diagnose({ network, packaged, kubelet });
  expect(findings).toMatchObject([{ code: 'forwarders-not-lasting', severity: 'warning' }]);
  expect(findings[0]?.message).not.toContain('does not answer');
});
