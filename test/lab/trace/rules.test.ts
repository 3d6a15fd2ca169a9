/** Rules of many kinds, on one node each: what is traced is what a real client meets. */
import { describe, expect, it } from 'vitest';
import { startPeopledNode } from '../ghosts/haunted-node.ts';
import { runTrace } from './run-trace.ts';

describe('native tables of nft', () => {
  const rules = `table inet guard {
  set bad { type ipv4_addr; flags interval; elements = { 192.168.60.2/31 }; }
  chain forward {
    type filter hook forward priority 10; policy accept;
    tcp dport { 8080, 8443 } ip saddr @bad counter reject with tcp reset
    ip6 daddr fd00:42::9 drop
  }
}
`;

  it('are named with family, table, chain and number, of both families', async () => {
    await using node = await startPeopledNode();
    await node.run(['nft', '-f', '-'], { input: rules });

    const trace = await runTrace(node, '--from 192.168.60.2 --to 10.42.0.9 --dport 8080');
    const six = await runTrace(node, '--from fd00:60::2 --to fd00:42::9 --dport 8080');
    const other = await runTrace(node, '--from fd00:60::2 --to fd00:42::10 --dport 8080');

    const rule = { backend: 'native', family: 'inet', table: 'guard', chain: 'forward' };
    expect(trace).toMatchObject({
      verdict: 'reject',
      ends: [{ decidedBy: { rule: { ...rule, number: 1 }, rejectWith: expect.stringContaining('reset') } }],
    });
    expect(six).toMatchObject({ verdict: 'drop', ends: [{ decidedBy: { rule: { ...rule, number: 2 } } }] });
    expect(other).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(await node.client.http('10.42.0.9', 8080)).toMatchObject({ ok: false });
    expect(await node.client.http('fd00:42::9', 8080, { timeoutMs: 300 })).toMatchObject({ ok: false });
    expect(await node.client.http('fd00:42::10', 8080)).toMatchObject({ ok: true });
    const { stdout } = await node.doctor('trace --from fd00:60::2 --to fd00:42::9 --dport 8080'.split(' '));
    expect(stdout).toContain('\n  by      rule 2 of forward, nft inet guard\n');
  });
});

describe('rules that leave it open', () => {
  it('to chance are named, and the verdict is DEPENDS', async () => {
    await using node = await startPeopledNode();
    await node.restore(
      'nft',
      'ipv4',
      `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -p tcp -m tcp --dport 8080 -m limit --limit 3/min -j ACCEPT
COMMIT
`,
    );
    const { stdout, exitCode } = await node.doctor(
      'trace --from 192.168.60.2 --to 10.42.0.9 --dport 8080'.split(' '),
    );
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^DEPENDS {2}tcp 192\.168\.60\.2 → 10\.42\.0\.9:8080, new/);
    expect(stdout).toMatch(/^ {2}chance {2}limit\b[^(]*\(rule 1 of FORWARD,\s+iptables-nft\s+filter\)$/m);
    expect(stdout).toContain('\nDROP\n  by      the policy of FORWARD, iptables-nft filter\n');
    expect(stdout).toContain('\nPASS\n  by      last accepted by rule 1 of FORWARD, iptables-nft filter\n');
  });

  it('as they cannot be evaluated are named, and the verdict is UNKNOWN', async () => {
    await using node = await startPeopledNode();
    const drop = '-A FORWARD -p tcp -m string --string secret --algo bm -j DROP';
    await node.restore('legacy', 'ipv4', `*filter\n:FORWARD ACCEPT [0:0]\n${drop}\nCOMMIT\n`);

    const trace = await runTrace(node, '--from 192.168.60.2 --to 10.42.0.9 --dport 8080');

    expect(trace).toMatchObject({ verdict: 'unknown', exitCode: 2 });
    const doubts = trace.ends.flatMap(({ assumptions }) => assumptions);
    expect(doubts).toMatchObject([
      { kind: 'unknown', rule: { backend: 'legacy', chain: 'FORWARD', number: 1 } },
      { kind: 'unknown' },
    ]);
    expect(await runTrace(node, '--from 192.168.60.2 --to 10.42.0.9 --proto udp --dport 5353')).toMatchObject(
      { verdict: 'pass', exitCode: 0 },
    );
  });
});

describe('what a process of the node sends', () => {
  it('is judged by its user, too', async () => {
    await using node = await startPeopledNode();
    const reject = '-A OUTPUT -m owner --uid-owner 1234 -j REJECT --reject-with icmp-port-unreachable';
    await node.restore('nft', 'ipv4', `*filter\n:OUTPUT ACCEPT [0:0]\n${reject}\nCOMMIT\n`);
    const packet = '--from local --to 10.42.0.9 --dport 8080';

    expect(await runTrace(node, `${packet} --uid 1234`)).toMatchObject({ verdict: 'reject', exitCode: 1 });
    expect(await runTrace(node, `${packet} --uid 0`)).toMatchObject({
      verdict: 'pass',
      ends: [{ way: 'out', outLink: 'cni0' }],
    });
    expect(await runTrace(node, packet)).toMatchObject({ verdict: 'unknown', exitCode: 2 });
  });
});

describe('a host port', () => {
  it('of a pod that is gone is dead, and masks the one of the pod that runs', async () => {
    await using node = await startPeopledNode();
    const [pod, second] = node.pods;
    const hostPorts = [{ hostPort: 80, containerPort: 8080 }];
    await node.cni('nft', 'ADD', { pod, hostPorts });
    const gone = { ...second, name: 'gone', sandboxId: 'f'.repeat(64), addresses: ['10.42.0.66'] };
    await node.cni('legacy', 'ADD', { pod: gone, hostPorts });
    const packet = `--from 192.168.60.2 --to ${node.address} --dport 80`;

    const trace = await runTrace(node, packet);

    expect(trace).toMatchObject({
      verdict: 'pass',
      ends: [{ destination: { from: '192.168.60.1:80', to: '10.42.0.66:8080' }, endpoint: 'dead' }],
    });
    expect(trace.services).toMatchObject([
      { backend: 'legacy', kind: 'host-port', asked: 'first', name: null, endpoints: [{ state: 'dead' }] },
      {
        backend: 'nft',
        kind: 'host-port',
        asked: 'second',
        name: 'default/web-1',
        endpoints: [{ address: '10.42.0.9', port: 8080, state: 'live' }],
      },
    ]);
    expect(await node.client.http(node.address, 80, { timeoutMs: 300 })).toMatchObject({ ok: false });
    const { stdout } = await node.doctor(['trace', ...packet.split(' ')]);
    expect(stdout).toContain('● 10.42.0.66:8080 is dead: nobody answers there.');
  });
});
