import { describe, expect, test } from 'vitest';
import type { RecordingInput } from '../../../src/host/recording-format.ts';
import { type Edits, withLines, without } from '../../facts/edited-recording.ts';
import { diagnose, findingAt, hostPortGhost, legacyThenNft, namedIn, removalsIn } from './diagnose.ts';

/** What the kernel tells of a probe from this node: where its answers come from. */
function probe(
  asked: string,
  port: number,
  answeredBy: string,
): Pick<RecordingInput, 'connects'> & { readonly text: string } {
  const [target, targetPort] = [answeredBy.replace(/:\d+$/, ''), /\d+$/.exec(answeredBy)?.[0]];
  return {
    connects: [{ address: asked, port, result: 'connected', localPort: 40001 }],
    text: `tcp 6 119 TIME_WAIT src=10.0.0.1 dst=${asked} sport=40001 dport=${port} src=${target} dst=10.0.0.1 sport=${targetPort} dport=40001 [ASSURED] mark=0 use=1\n`,
  };
}

function probed(asked: string, port: number, answeredBy: string): Edits {
  const { connects, text } = probe(asked, port, answeredBy);
  const conntrack = { tool: 'conntrack' as const, stdout: 'probe.txt' };
  return { texts: { 'probe.txt': () => text }, add: { connects: connects ?? [], commands: [conntrack] } };
}

describe('which backend comes first is learned from a connection', () => {
  test('answered by a target of the ghosts: they mask', async () => {
    const diagnosis = await diagnose(legacyThenNft, probed('10.43.0.10', 53, '10.42.0.8:53'));
    expect(findingAt(diagnosis, '10.43.0.80:80')).toMatchObject({ effect: 'masks', severity: 'error' });
    expect(diagnosis.notes).toContain(
      'ipv4 nat: legacy comes first: a probe to 10.43.0.10 port 53 was sent to 10.42.0.8 53 by legacy',
    );
  });

  test('answered by a target of the live rules: the ghosts are dormant, and still errors', async () => {
    const diagnosis = await diagnose(legacyThenNft, probed('10.43.0.10', 53, '10.42.0.10:53'));
    expect(findingAt(diagnosis, '10.43.0.80:80')).toMatchObject({ effect: 'dormant', severity: 'error' });
    expect(findingAt(diagnosis, '10.43.0.82:80').effect).toBe('idle');
  });

  test('answered by neither, or not at all: they may mask', async () => {
    const elsewhere = await diagnose(legacyThenNft, probed('10.43.0.10', 53, '192.0.2.1:53'));
    expect(findingAt(elsewhere, '10.43.0.80:80').effect).toBe('may-mask');
    const untold = await diagnose(legacyThenNft);
    expect(findingAt(untold, '10.43.0.80:80').effect).toBe('may-mask');
  });

  test('a host port is asked at an address of this node', async () => {
    const edits = probed('192.168.60.1', 80, '10.42.1.2:8080');
    const host = { localAddresses: { ipv4: ['192.168.60.1'] } };
    const commands = [
      { tool: 'iptables-legacy-save' as const, stdout: 'legacy-save.txt' },
      { tool: 'iptables-nft-save' as const, stdout: 'nft-save.txt' },
      { tool: 'crictl' as const, stdout: 'crictl-pods.json' },
    ];
    const diagnosis = await diagnose(hostPortGhost, { ...edits, host: { ...host, commands } });
    expect(findingAt(diagnosis, 'host port *:80').effect).toBe('masks');
  });
});

describe('a ghost that no live rule claims', () => {
  const withoutWeb = without(/default\/web|KUBE-(SVC|EXT)-CDGGSHYLG3RE2FKL|KUBE-SEP-7UFDFNC3QU3P4UOK/);

  test('takes the traffic, whichever backend comes first', async () => {
    const nft = (text: string) => withoutWeb(text);
    const diagnosis = await diagnose(legacyThenNft, { texts: { 'iptables-nft-save.txt': nft } });
    expect(findingAt(diagnosis, '10.43.0.80:80')).toMatchObject({
      effect: 'captures',
      message:
        '10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead (legacy) · no live rule claims it',
    });
  });
});

test('a ghost without endpoints carries nothing', async () => {
  const noEndpoints = without(/^(\[\S+ )?-A KUBE-SVC-CDGGSHYLG3RE2FKL .*-j KUBE-SEP-/);
  const diagnosis = await diagnose(legacyThenNft, { texts: { 'iptables-legacy-save.txt': noEndpoints } });
  expect(findingAt(diagnosis, '10.43.0.80:80')).toMatchObject({
    effect: 'idle',
    message: '10.43.0.80:80/tcp default/web → nowhere (legacy) · live: 10.42.0.9:8080 (nft)',
  });
});

describe('what a leftover filter chain refuses', () => {
  const noLiveRefusal = without(/has no endpoints/);

  test('is refused by the live rules too: idle', async () => {
    expect(findingAt(await diagnose(legacyThenNft), '10.43.0.83:80').effect).toBe('idle');
  });

  test('is not refused by the live rules, and no live rule translates it: it rejects', async () => {
    const diagnosis = await diagnose(legacyThenNft, { texts: { 'iptables-nft-save.txt': noLiveRefusal } });
    expect(findingAt(diagnosis, '10.43.0.83:80')).toMatchObject({
      code: 'ghost-reject',
      effect: 'rejects',
      severity: 'error',
      message:
        '10.43.0.83:80/tcp default/empty → rejected (legacy filter) · no live rule translates it first',
    });
  });

  test('is translated by a live rule before filter sees it: that is said', async () => {
    const live = withLines('nat', {
      chains: ['KUBE-SVC-AAAAAAAAAAAAAAAA'],
      rules: [
        '-A KUBE-SERVICES -d 10.43.0.83/32 -p tcp -m comment --comment "default/empty cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA',
      ],
    });
    const texts = { 'iptables-nft-save.txt': (text: string) => live(noLiveRefusal(text)) };
    const { message } = findingAt(await diagnose(legacyThenNft, { texts }), '10.43.0.83:80');
    expect(message).toBe(
      '10.43.0.83:80/tcp default/empty → rejected (legacy filter) · live rules translate it first (nft)',
    );
  });

  test('on a node port has no address', async () => {
    const { message } = findingAt(await diagnose('kube-proxy-1.22-legacy-then-1.34-nft'), '*:30089/tcp');
    expect(message).toBe(
      '*:30089/tcp default/empty-np → rejected (legacy filter) · refused by live rules too (nft)',
    );
  });
});

describe('leftovers of the network policy controller', () => {
  const policy = withLines('filter', {
    chains: ['KUBE-ROUTER-FORWARD', 'KUBE-NWPLCY-DEFAULT', 'KUBE-POD-FW-24CAQJ4LYSAY3PHB'],
    rules: [
      '-A FORWARD -m comment --comment "kube-router netpol - TEMCG2JMHZYE7H7T" -j KUBE-ROUTER-FORWARD',
      '-A FORWARD -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT',
      '-A KUBE-ROUTER-FORWARD -d 10.42.0.5/32 -m comment --comment "rule to jump traffic destined to POD name:a namespace: b to chain KUBE-POD-FW-24CAQJ4LYSAY3PHB" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB',
      '-A KUBE-POD-FW-24CAQJ4LYSAY3PHB -m comment --comment "rule to REJECT traffic destined for POD name:a namespace: b" -m mark ! --mark 0x10000/0x10000 -j REJECT --reject-with icmp-port-unreachable',
    ],
  });
  const texts = { 'iptables-legacy-save.txt': policy };

  test('go with their residue in built-in chains', async () => {
    const diagnosis = await diagnose(legacyThenNft, { texts });
    expect(findingAt(diagnosis, 'iptables-legacy filter: 3 network policy chains')).toMatchObject({
      code: 'ghost-network-policy',
      effect: 'rejects',
      severity: 'error',
      message:
        'iptables-legacy filter: 3 network policy chains of an earlier era and 1 accept rule judge pod traffic',
    });
    const filter = removalsIn(diagnosis).find(({ removal }) => removal.table === 'filter');
    expect(filter).toMatchObject({
      removal: {
        chains: expect.arrayContaining([
          'KUBE-ROUTER-FORWARD',
          'KUBE-NWPLCY-DEFAULT',
          'KUBE-POD-FW-24CAQJ4LYSAY3PHB',
        ]),
        rules: expect.arrayContaining([
          { chain: 'FORWARD', line: expect.stringContaining('KUBE-ROUTER rule to explicitly ACCEPT') },
          { chain: 'FORWARD', line: expect.stringContaining('kube-router netpol - TEMCG2JMHZYE7H7T') },
        ]),
      },
    });
  });

  test('stay where a kube-router of its own runs: it may write to another backend than kubelet', async () => {
    const add = { processes: [{ name: 'kube-router' }] };
    const named = namedIn(await diagnose(legacyThenNft, { texts, add }));
    expect(named.filter((name) => /KUBE-(ROUTER|NWPLCY|POD-FW)/.test(name))).toEqual([]);
    expect(named).toContain('KUBE-SERVICES');
  });
});
