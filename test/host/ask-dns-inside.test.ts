import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { DnsQuestion } from '../../src/host/host.ts';
import { liveHost } from '../../src/host/live.ts';
import { addressRecord, answer, udpServer } from './dns-server.ts';
import { noCluster } from './no-cluster.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

const doctor = [process.execPath, fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))];

/** This machine, with a program in the place of nsenter: who may not enter another network can test the rest. */
function hostWith(nsenter: string, own: readonly string[] = doctor) {
  const program = fakeProgram(join(temporaryFolder(), 'nsenter'), nsenter);
  return liveHost({
    commands: { nsenter: [program], 'k3s-doctor': own },
    paths: { k3sData: '/no/such/k3s' },
    kube: noCluster,
  });
}

const question: DnsQuestion = {
  server: '127.0.0.1',
  port: 9,
  protocol: 'udp',
  name: 'www.example.org',
  type: 'A',
  timeoutMs: 500,
};

test('another process of this program asks, and its answers come back in order', async () => {
  const place = await udpServer((asked) => [answer(asked, [addressRecord('www.example.org', '192.0.2.1')])]);
  const host = hostWith('[ "$1 $2" = "--net=/proc/4711/ns/net --" ] || exit 9\nshift 2\nexec "$@"');
  expect(await host.askDns([question, { ...question, port: place.port }], 4711)).toEqual([
    { kind: 'blocked', reason: expect.stringContaining('ECONNREFUSED') },
    expect.objectContaining({ kind: 'answered', records: ['192.0.2.1'] }),
  ]);
  expect(await host.askDns([], 4711)).toEqual([]);
});

test.each([
  [
    'echo "nsenter: cannot open /proc/1/ns/net: Permission denied" >&2; exit 1',
    'nsenter: cannot open /proc/1/ns/net: Permission denied',
  ],
  ['exit 3', 'exit code 3'],
  ['echo words', 'what came back are no answers'],
  ["echo '[]'", 'what came back are no answers'],
  ['echo \'[{"kind":"answered"}]\'', 'what came back are no answers'],
])('where that is not possible nothing was asked: %s', async (nsenter, reason) => {
  expect(await hostWith(nsenter).askDns([question], 1)).toEqual([
    { kind: 'not-asked', reason: `in the network of process 1: ${reason}` },
  ]);
});

test('without nsenter, or without a program of its own, nothing was asked', async () => {
  const none = liveHost({
    commands: { nsenter: ['/no/such/nsenter'] },
    paths: { k3sData: '/no/such/k3s' },
    kube: noCluster,
  });
  expect(await none.askDns([question], 1)).toMatchObject([
    { reason: 'in the network of process 1: there is no nsenter' },
  ]);
  expect(await hostWith('exit 0', ['/no/such/doctor']).askDns([question], 1)).toMatchObject([
    { reason: 'in the network of process 1: k3s-doctor cannot be started again' },
  ]);
});

test.each([0, -1, 1.5, Number.NaN])('%d is no process', async (pid) => {
  await expect(hostWith('exit 0').askDns([question], pid)).rejects.toThrow(`no process: ${pid}`);
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)('from inside a network of its own, which has no way out', async () => {
  const place = await udpServer((asked) => [answer(asked)]);
  const inside = spawn('unshare', ['--net', 'sleep', '60'], { stdio: 'ignore' });
  onTestFinished(() => void inside.kill('SIGKILL'));
  await once(inside, 'spawn');
  const pid = inside.pid ?? 0;
  const networkOf = (of: string) => execFileSync('readlink', [`/proc/${of}/ns/net`], { encoding: 'utf8' });
  await expect.poll(() => networkOf(String(pid)), { timeout: 3000 }).not.toBe(networkOf('self'));
  const host = liveHost({
    commands: { 'k3s-doctor': doctor },
    paths: { k3sData: '/no/such/k3s' },
    kube: noCluster,
  });
  const asked = [{ ...question, port: place.port }];
  expect(await host.askDns(asked)).toMatchObject([{ kind: 'answered' }]);
  // Its loopback device is down.
  expect(await host.askDns(asked, pid)).toEqual([
    { kind: 'blocked', reason: expect.stringMatching(/^no route: .*\(ENETUNREACH\)$/) },
  ]);
  expect(place.asked).toHaveLength(1);
});

test.each(['', '{', '{}', '[{"server":"127.0.0.1"}]', '[{"server":"127.0.0.1","port":70000}]'])(
  'the program refuses %j',
  async (input) => {
    const [program = '', ...args] = [...doctor, 'ask-dns'];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(input);
    const said: string[] = [];
    child.stderr.on('data', (chunk) => said.push(String(chunk)));
    expect(await once(child, 'close')).toEqual([64, null]);
    expect(said.join('')).toContain('expected a JSON list of DNS questions');
  },
);
