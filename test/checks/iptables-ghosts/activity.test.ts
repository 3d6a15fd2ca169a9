import { describe, expect, test } from 'vitest';
import type { Activity } from '../../../src/engine/finding.ts';
import { type Edits, without } from '../../facts/edited-recording.ts';
import { diagnose, findingAt, hostPortGhost, legacyThenNft } from './diagnose.ts';

const days = { path: '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established', text: '432000\n' };

/** The recording with a kernel that knows these connections, and packets counted at one endpoint. */
function seen(connections: readonly string[], packets = 0): Edits {
  return {
    texts: {
      'connections.txt': () => connections.map((line) => `${line}\n`).join(''),
      'iptables-legacy-save.txt': (text) =>
        text.replace(/^\[0:0\] (-A KUBE-SEP-44QAFTDXKWK26IY3 .*DNAT.*)$/m, `[${packets}:0] $1`),
    },
    add: { commands: [{ tool: 'conntrack', stdout: 'connections.txt' }], files: [days] },
  };
}

function established(asked: string, port: number, by: string): string {
  return `tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=${asked} sport=46722 dport=${port} src=${by} dst=10.0.0.9 sport=8080 dport=46722 [ASSURED] mark=0 use=1`;
}

async function activityAt(start: string, edits: Edits): Promise<Activity | undefined> {
  return findingAt(await diagnose(legacyThenNft, edits), start).activity;
}

describe('a Service whose targets are called dead', () => {
  test('shows what its endpoints counted, at each of its addresses', async () => {
    const edits = seen([], 7);
    expect(await activityAt('10.43.0.80:80', edits)).toEqual({ packets: 7, answered: false });
    expect(await activityAt('*:30080', edits)).toEqual({ packets: 7, answered: false });
    expect(await activityAt('10.43.0.81:80', edits)).toEqual({ packets: 0, answered: false });
  });

  test('is answered when a dead target answers what was sent to its address', async () => {
    const edits = seen([established('10.43.0.80', 80, '10.42.0.5')]);
    expect(await activityAt('10.43.0.80:80', edits)).toEqual({ packets: 0, answered: true });
    expect(await activityAt('10.43.0.81:80', edits)).toMatchObject({ answered: false });
  });

  test('is answered at a node port whatever address of the node was asked', async () => {
    const edits = seen([established('192.0.2.10', 30080, '10.42.0.6')]);
    expect(await activityAt('*:30080', edits)).toMatchObject({ answered: true });
  });

  test('is not answered by a target that lives: live rules send there, too', async () => {
    const edits = seen([established('10.43.0.81', 80, '10.42.0.7')]);
    expect(await activityAt('10.43.0.81:80', edits)).toMatchObject({ answered: false });
  });
});

test('a host port of a dead sandbox is answered while its pod was there two minutes ago', async () => {
  const [finding] = (await diagnose(hostPortGhost)).findings;
  expect(finding?.activity).toEqual({ packets: 0, answered: true });
});

test('what sends nowhere shows no signs of life, nor does what refuses', async () => {
  const edits = seen([]);
  const texts = { ...edits.texts, 'iptables-legacy-save.txt': without(/-j KUBE-SEP-IV4V|-j KUBE-SEP-44QA/) };
  const diagnosis = await diagnose(legacyThenNft, { ...edits, texts });
  expect(findingAt(diagnosis, '10.43.0.80:80/tcp default/web → nowhere').activity).toBeUndefined();
  const withActivity = diagnosis.findings.filter(({ activity }) => activity !== undefined);
  expect(withActivity.map(({ code }) => code)).toEqual(Array(12).fill('ghost-service'));
});

test('without the list of connections there are no signs, and that is said', async () => {
  const { outcome, findings, limits, plan } = await diagnose(legacyThenNft, {
    add: { commands: [{ tool: 'conntrack', exitCode: 1, stderr: 'Operation failed: sorry\n' }] },
  });
  expect(outcome).toBe('findings');
  expect(findings.filter(({ activity }) => activity !== undefined)).toEqual([]);
  expect(limits).toEqual([
    'connections were not looked at: conntrack failed with exit code 1: Operation failed: sorry',
  ]);
  expect(plan(() => true).repairs).toHaveLength(findings.length);
});
