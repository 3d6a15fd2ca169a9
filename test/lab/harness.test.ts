/** The lab itself: what the other tests in this folder take for granted. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { identifyPod } from './node/add-pod.ts';
import { type LabNode, startNode } from './node/start-node.ts';
import { startProcess } from './node/start-process.ts';

const hostPorts = [
  { hostPort: 80, containerPort: 8080 },
  { hostPort: 53, containerPort: 5353, protocol: 'udp' },
] as const;

const web = {
  name: 'web',
  address: '10.42.0.9',
  address6: 'fd00:42::9',
  tcp: [8080],
  udp: [5353],
} as const;

describe('a hostPort of the real portmap plugin', () => {
  it.each(['legacy', 'nft'] as const)(
    'answers from outside and on the node itself, on %s',
    async (backend) => {
      await using node = await startNode();
      const pod = await node.addPod(web);
      const client = await node.addClient();
      expect(await client.http(node.address, 80)).toEqual({ ok: false, reason: 'refused' });

      await node.cni(backend, 'ADD', { pod, hostPorts });

      for (const place of [client, node]) {
        for (const address of [node.address, node.address6]) {
          expect(await place.http(address, 80)).toMatchObject({ ok: true, body: 'web' });
          expect(await place.udp(address, 53)).toMatchObject({ ok: true, body: 'web' });
        }
      }
      expect(await node.http('127.0.0.1', 80)).toMatchObject({ ok: true, body: 'web' });
      expect(await pod.http(node.address, 80)).toMatchObject({ ok: true, body: 'web' });
      const [other, otherFamily] = [backend === 'legacy' ? 'nft' : 'legacy', 'ipv6'] as const;
      expect(await node.dump(backend, 'ipv4')).toContain('--to-destination 10.42.0.9:8080');
      expect(await node.dump(backend, otherFamily)).toContain('--to-destination [fd00:42::9]:8080');
      expect(await node.dump(other, 'ipv4')).toBe('');
    },
  );

  it('leaves a connection in conntrack, under the port the client was told to use', async () => {
    await using node = await startNode();
    const pod = await node.addPod(web);
    const client = await node.addClient();
    await node.cni('nft', 'ADD', { pod, hostPorts });

    expect(await client.udp(node.address, 53, { localPort: 4444 })).toMatchObject({ localPort: 4444 });

    const [entry] = (await node.snapshot()).conntrack.filter((line) => line.includes('sport=4444'));
    expect(entry).toMatch(
      /^udp .* src=192\.168\.60\.2 dst=192\.168\.60\.1 .* src=10\.42\.0\.9 dst=192\.168\.60\.2/,
    );
  });

  it('becomes a ghost when its pod is deleted on the other backend, and wins if registered last', async () => {
    await using node = await startNode();
    const client = await node.addClient();
    const dead = identifyPod({ name: 'dead', address: '10.42.0.5' });
    const pod = await node.addPod(web);
    await node.cni('nft', 'ADD', { pod, hostPorts });
    await node.cni('legacy', 'ADD', { pod: dead, hostPorts });
    await node.cni('nft', 'DEL', { pod: dead, hostPorts });

    expect(await node.dump('legacy', 'ipv4')).toContain(dead.sandboxId);
    expect(await client.http(node.address, 80, { timeoutMs: 300 })).toEqual({ ok: false, reason: 'timeout' });

    await node.cni('legacy', 'DEL', { pod: dead, hostPorts });
    expect(await client.http(node.address, 80)).toMatchObject({ ok: true, body: 'web' });
  });
});

describe('a pod', () => {
  it('is gone with its network when it is stopped, and another can have its address at once', async () => {
    await using node = await startNode();
    const pod = await node.addPod(web);
    expect(await node.http('10.42.0.9', 8080)).toMatchObject({ body: 'web' });

    await pod.stop();
    expect(await node.run(['ip', 'netns'])).toBe('');
    expect(await node.http('10.42.0.9', 8080, { timeoutMs: 200 })).toMatchObject({ ok: false });

    await node.addPod({ ...web, name: 'next' });
    expect(await node.http('10.42.0.9', 8080)).toMatchObject({ body: 'next' });
    expect(await node.http('fd00:42::9', 8080)).toMatchObject({ body: 'next' });
  });
});

describe('the firewall of a node', () => {
  it('is empty at first, and looking at it registers no legacy table', async () => {
    await using node = await startNode();

    await node.snapshot();

    expect(await node.snapshot()).toEqual({
      ...{ legacyIpv4: '', legacyIpv6: '', nftIpv4: '', nftIpv6: '', nftRuleset: '' },
      ...{ legacyTables: [], legacyTables6: [], conntrack: [] },
    });
  });

  it.each([
    ['legacy', 'ipv4'],
    ['legacy', 'ipv6'],
    ['nft', 'ipv4'],
    ['nft', 'ipv6'],
  ] as const)('takes a dump with its counters and gives it back: %s, %s', async (backend, family) => {
    await using node = await startNode();

    await node.restore(backend, family, mangleDump);

    // ip6tables-nft-restore of iptables 1.8.9 takes the counters of chains, but not those of rules.
    const counters = `${backend} ${family}` === 'nft ipv6' ? /^\[(3:180|0:0)\]/m : /^\[3:180\]/m;
    expect(await node.dump(backend, family, { counters: true })).toMatch(counters);
    await node.restore(backend, family, '*mangle\n:OTHER - [0:0]\nCOMMIT\n', { noFlush: true });
    expect(await node.dump(backend, family)).toMatch(/:KUBE-KUBELET-CANARY.*:OTHER/s);
  });

  it('refuses a bad dump with the message of the tool', async () => {
    await using node = await startNode();
    await expect(node.restore('legacy', 'ipv4', '*nat\n-A NOWHERE -j ACCEPT\nCOMMIT\n')).rejects.toThrow(
      'line 2',
    );
  });
});

describe('programs on a node', () => {
  it('have the exit code a shell would give, their bytes untouched, and only their own environment', async () => {
    await using node = await startNode({ hostname: 'alpha' });

    expect(await node.exec(['cat'], { input: 'a\n\n' })).toEqual({
      exitCode: 0,
      stdout: 'a\n\n',
      stderr: '',
    });
    expect(await node.exec(['sh', '-c', 'exit 3'])).toMatchObject({ exitCode: 3 });
    expect(await node.exec(['sh', '-c', 'kill -9 $$'])).toMatchObject({ exitCode: 137 });
    expect(await node.run(['hostname'])).toBe('alpha\n');
    expect(await node.run(['env'], { env: { MINE: '1' } })).toMatch(/^PATH=.*^MINE=1$/ms);
    expect(await node.run(['env'])).not.toContain('VITEST');
  });

  it('are killed when they take too long, and leave no zombie', async () => {
    await using node = await startNode();
    await expect(node.exec(['sleep', '60'], { timeoutMs: 100 })).rejects.toThrow('not done in 100 ms');
    expect(await processNames(node)).not.toContain('sleep');
  });

  it('can go on in the background, here with the lock of iptables in hand', async () => {
    await using node = await startNode();
    const takeLock = ['iptables-legacy', '-w', '1', '-t', 'nat', '-S'];
    const holder = node.start(['flock', '/run/xtables.lock', 'sh', '-c', 'echo held; read _']);
    await holder.waitForLine('held');
    expect((await node.exec(takeLock)).exitCode).toBe(4);

    holder.closeInput();
    await holder.ended;

    expect((await node.exec(takeLock)).exitCode).toBe(0);
  });

  it('get the signal that they are stopped with', async () => {
    await using node = await startNode();
    const polite = node.start(['sh', '-c', 'trap "echo bye; exit 5" TERM; echo up; read _']);
    await polite.waitForLine('up');
    expect(await polite.stop('SIGTERM')).toEqual({ exitCode: 5, stdout: 'up\nbye\n', stderr: '' });
  });

  it('can be stand-ins for k3s, with its name and arguments', async () => {
    await using node = await startNode();
    const k3s = await node.fakeProcess('k3s', ['server', '--kube-proxy-arg=proxy-mode=nftables']);
    expect(await processNames(node)).toContain('k3s');
    const find = [
      'pgrep',
      '--exact',
      '--full',
      '/run/lab/bin/k3s server --kube-proxy-arg=proxy-mode=nftables',
    ];
    expect((await node.exec(find)).exitCode).toBe(0);

    await k3s.stop('SIGTERM');
    expect(await processNames(node)).not.toContain('k3s');
  });

  it('can be a stand-in for crictl that answers, fails or hangs', async () => {
    await using node = await startNode();
    const pod = identifyPod(web);
    const crictl = await node.fakeCrictl([pod, { ...pod, state: 'SANDBOX_NOTREADY' }]);
    const list = JSON.parse(await node.run([crictl, 'pods', '-o', 'json']));
    expect(list.items).toMatchObject([
      { id: pod.sandboxId, state: 'SANDBOX_READY' },
      { id: pod.sandboxId, state: 'SANDBOX_NOTREADY' },
    ]);

    await node.fakeCrictl({ fails: 'connection refused' });
    expect(await node.exec([crictl, 'pods', '-o', 'json'])).toMatchObject({
      exitCode: 1,
      stderr: 'connection refused\n',
    });
    await node.fakeCrictl('hangs');
    await expect(node.exec([crictl, 'pods'], { timeoutMs: 100 })).rejects.toThrow('not done');
  });
});

describe('a node and its surroundings', () => {
  it('has files of its own where the product and k3s have theirs', async () => {
    await using node = await startNode();
    const name = `lab-${process.pid}`;
    for (const folder of ['/etc/k3s-doctor', '/etc/rancher', '/var/lib/k3s-doctor', '/var/lib/cni', '/run']) {
      expect((await node.exec(['ls', `${folder}/${name}`])).exitCode).not.toBe(0);
      await node.writeFile(`${folder}/${name}/file`, 'text', '600');
      expect(await node.readFile(`${folder}/${name}/file`)).toBe('text');
      expect(await node.run(['stat', '-c', '%a', `${folder}/${name}/file`])).toBe('600\n');
      expect(existsSync(`${folder}/${name}`)).toBe(false);
    }
  });

  it('does not meet another node with the same pods and addresses', async () => {
    const nodes = await Promise.all([startNode(), startNode()]);
    await Promise.all(nodes.map((node, index) => node.addPod({ ...web, name: `web-${index}` })));

    const answers = await Promise.all(nodes.map((node) => node.http('10.42.0.9', 8080)));

    expect(answers).toMatchObject([{ body: 'web-0' }, { body: 'web-1' }]);
    await Promise.all(nodes.map((node) => node.stop()));
  });

  it('leaves nothing behind when it is stopped', async () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const node = await startNode();
    await node.addPod(web);
    const namespaces = await namespacesOf(node);
    expect(tracesOf(namespaces)).not.toEqual([]);

    await node.stop();

    expect(tracesOf(namespaces)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(mounts);
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'leaves nothing behind when its owner gets a %s',
    async (signal) => {
      const owner = startProcess([process.execPath, '--input-type=module', '-e', ownerProgram]);
      const namespaces = (await owner.waitForLine('net:')).split(' ');
      expect(tracesOf(namespaces).length).toBeGreaterThan(3);

      process.kill(owner.pid ?? 0, signal);
      await owner.ended;

      for (let attempt = 0; attempt < 100 && tracesOf(namespaces).length > 0; attempt++) await delay(20);
      expect(tracesOf(namespaces)).toEqual([]);
    },
  );
});

const mangleDump = `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-KUBELET-CANARY - [0:0]
[3:180] -A KUBE-KUBELET-CANARY -j RETURN
COMMIT
`;

const ownerProgram = `
const { startNode } = await import(${JSON.stringify(new URL('./node/start-node.ts', import.meta.url).href)});
const node = await startNode();
const pod = await node.addPod(${JSON.stringify(web)});
await node.fakeProcess('k3s');
node.start(['sh', '-c', 'trap "" TERM INT HUP; sleep 600 & sleep 600']);
const links = ['mnt', 'pid', 'net'].map((name) => '/proc/self/ns/' + name);
const inNode = await node.run(['readlink', ...links]);
const inPod = await pod.run(['readlink', '/proc/self/ns/net']);
console.log((inNode + inPod).trim().split('\\n').join(' '));
`;

async function processNames(node: LabNode): Promise<readonly string[]> {
  return (await node.run(['ps', '-e', '-o', 'comm='])).trim().split('\n');
}

async function namespacesOf(node: LabNode): Promise<readonly string[]> {
  const links = ['mnt', 'pid', 'net'].map((name) => `/proc/self/ns/${name}`);
  return (await node.run(['readlink', ...links])).trim().split('\n');
}

/** Processes that are in one of the namespaces, or see a mount that keeps one of them. */
function tracesOf(namespaces: readonly string[]): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const links = ['mnt', 'pid', 'net'].map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
        return namespaces.some((namespace) => links.includes(namespace) || mounts.includes(namespace));
      } catch {
        return false; // it ended while we looked
      }
    });
}
