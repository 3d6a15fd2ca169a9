/** trace/: what `doctor trace` says is what becomes of a real packet. */
import { describe, expect, it } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { startHauntedNode, startPeopledNode, web, webGhost, webLive } from '../ghosts/haunted-node.ts';
import { doctorCommand, startNode } from '../node/start-node.ts';
import { runTrace } from './run-trace.ts';

const ufwReject = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-user-input - [0:0]
:ufw-user-forward - [0:0]
:ufw-reject-forward - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -j ufw-user-input
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -j ufw-user-forward
-A FORWARD -j ufw-reject-forward
-A FORWARD -m comment --comment "flanneld forward" -s 10.42.0.0/16 -j ACCEPT
-A ufw-user-input -p tcp --dport 22 -j ACCEPT
-A ufw-user-forward -d 10.42.0.10/32 -p tcp --dport 8080 -j ACCEPT
-A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
COMMIT
`;

describe.each(['nft', 'legacy'] as const)('a forward policy of REJECT in %s', (backend) => {
  it('is named with the rule that rejects, as a real client is rejected', async () => {
    await using node = await startPeopledNode();
    await node.restore(backend, 'ipv4', ufwReject);
    const before = await node.snapshot();

    const closed = await runTrace(node, '--from 192.168.60.2 --to 10.42.0.9 --dport 8080');
    const open = await runTrace(node, '--from 192.168.60.2 --to 10.42.0.10 --dport 8080');

    expect(closed).toMatchObject({
      verdict: 'reject',
      exitCode: 1,
      packet: { origin: { kind: 'link', link: 'eth0', told: 'by-route' } },
      ends: [
        {
          way: 'forward',
          outLink: 'cni0',
          decidedBy: {
            rule: { backend, table: 'filter', chain: 'ufw-reject-forward', number: 1 },
            rejectWith: 'icmp-port-unreachable',
          },
        },
      ],
    });
    expect(open).toMatchObject({
      verdict: 'pass',
      exitCode: 0,
      ends: [{ decidedBy: { rule: { chain: 'ufw-user-forward', number: 1 } } }],
    });
    expect(await node.client.http('10.42.0.9', 8080)).toMatchObject({ ok: false, reason: 'refused' });
    expect(await node.client.http('10.42.0.10', 8080)).toMatchObject({ ok: true });
    expectUnchanged(before, await node.snapshot());
  });

  it('does not hold for what belongs to a connection, and not for what the node itself sends', async () => {
    await using node = await startPeopledNode();
    await node.restore(backend, 'ipv4', ufwReject);

    const known = await runTrace(node, '--from 192.168.60.2 --to 10.42.0.9 --dport 8080 --state established');
    const own = await runTrace(node, '--from local --to 10.42.0.9 --dport 8080');

    expect(known).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(own).toMatchObject({
      verdict: 'pass',
      packet: { source: '10.42.0.1', origin: { kind: 'process' } },
      ends: [{ way: 'out', outLink: 'cni0' }],
    });
  });

  it('says in the text what an operator needs first, and with -v the path with hooks', async () => {
    await using node = await startPeopledNode();
    await node.restore(backend, 'ipv4', ufwReject);
    const args = ['trace', '--from', '192.168.60.2', '--to', '10.42.0.9', '--dport', '8080'];

    const { stdout } = await node.doctor(args);
    const verbose = await node.doctor([...args, '-v']);

    expect(stdout).toBe(`\
REJECT  tcp 192.168.60.2 → 10.42.0.9:8080, new, in over eth0 (by route)

  by      rule 1 of ufw-reject-forward, iptables-${backend} filter
          -A ufw-reject-forward -j REJECT --reject-with icmp-port-unreachable
  way     to be forwarded over cni0

The whole path, rule by rule: -v
`);
    expect(verbose.stdout).toContain(`
    forward      iptables-${backend} filter FORWARD 3: jump to ufw-reject-forward
`);
  });
});

describe.each([
  ['legacy', 'ghosts', 'dead'],
  ['legacy', 'live', 'live'],
  ['nft', 'ghosts', 'dead'],
  ['nft', 'live', 'live'],
] as const)('a Service with ghosts in %s, the table of the %s asked first', (ghosts, winner, state) => {
  it(`leads to endpoints that are ${state}, and every endpoint of each backend is listed`, async () => {
    await using node = await startHauntedNode({ ghosts, winner });
    const before = await node.snapshot();

    const trace = await runTrace(node, `--from 192.168.60.2 --to ${web.address} --dport ${web.port}`);

    const reached = state === 'dead' ? webGhost.endpoints : webLive.endpoints;
    expect(trace).toMatchObject({ verdict: 'pass', exitCode: 0, notices: [] });
    const ends = trace.ends.map(({ destination, endpoint }) => ({ ...destination, endpoint }));
    expect(ends.sort((a, b) => `${b.to}`.localeCompare(`${a.to}`))).toEqual(
      [...reached]
        .sort((a, b) => b.localeCompare(a))
        .map((to) => ({ from: '10.43.0.80:80', to, endpoint: state })),
    );
    expect(trace.ends.map(({ source }) => source?.to)).toEqual(reached.map(() => '10.42.0.1'));
    const byBackend = new Map(trace.services.map((service) => [service.backend, service]));
    expect(byBackend.get(ghosts)).toMatchObject({
      name: 'default/web:http',
      asked: winner === 'ghosts' ? 'first' : 'second',
      endpoints: [{ address: '10.42.0.5', port: 8080, state: 'dead' }],
    });
    expect(byBackend.get(ghosts === 'legacy' ? 'nft' : 'legacy')).toMatchObject({
      asked: winner === 'ghosts' ? 'second' : 'first',
      endpoints: [
        { address: '10.42.0.9', state: 'live' },
        { address: '10.42.0.10', state: 'live' },
      ],
    });
    const answer = await node.client.http(web.address, web.port, { timeoutMs: 300 });
    expect(answer.ok).toBe(state === 'live');
    expectUnchanged(before, await node.snapshot());
  });
});

describe('a recording', () => {
  it('says the same as the node, of the packet that it was made for and of others', async () => {
    await using node = await startHauntedNode();
    const packet = `--from 192.168.60.2 --to ${web.address} --dport ${web.port}`;
    const other = '--from 192.168.60.2 --to 10.42.0.10 --dport 8080 --state established';

    const live = await runTrace(node, `${packet} --record /run/lab/bundle`);
    const replayed = await runTrace(node, `${packet} --bundle /run/lab/bundle`);

    expect({ ...replayed, at: '' }).toEqual({ ...live, at: '' });
    const otherLive = await runTrace(node, other);
    expect({ ...(await runTrace(node, `${other} --bundle /run/lab/bundle`)), at: '' }).toEqual({
      ...otherLive,
      at: '',
    });
  });

  it('of a check will do', async () => {
    await using node = await startHauntedNode();
    await node.doctor(['check', '--record', '/run/lab/bundle']);
    const packet = `--from 192.168.60.2 --to ${web.address} --dport ${web.port} --in eth0`;

    const replayed = await runTrace(node, `${packet} --bundle /run/lab/bundle`);

    const { ends, services } = await runTrace(node, packet);
    expect(replayed).toMatchObject({ verdict: 'pass', ends, services });
  });
});

describe('anybody but root', () => {
  it('is told to take a recording', async () => {
    await using node = await startNode();
    // He may read the sources, wherever they are, and is not root.
    const capability = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...capability];
    const packet = 'trace --from 203.0.113.7 --to 192.168.60.1 --dport 22'.split(' ');

    const { exitCode, stdout, stderr } = await node.exec([...nobody, ...doctorCommand, ...packet]);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^doctor: k3s-doctor must be root .* recorded node with --bundle\n$/);
  });
});

describe('a wrong call', () => {
  it('that names no link of the node is told which there are', async () => {
    await using node = await startNode();

    const { exitCode, stdout, stderr } = await node.doctor(
      'trace --from 203.0.113.7 --to 192.168.60.1 --dport 22 --in eth9'.split(' '),
    );

    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toBe('doctor: --in eth9: there is no such link on this node; it has lo, cni0, eth0\n');
  });
});
