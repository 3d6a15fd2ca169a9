import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Host } from '../../src/host/host.ts';
import { replayingHost } from '../../src/host/replaying.ts';
import { temporaryFolder } from './temporary-folder.ts';

const bare = { version: 1, recordedAt: '2026-03-04T05:06:07Z' };

/** A folder as a person would write it. */
function folderWith(recording: object, texts: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'host.json'), JSON.stringify({ ...bare, ...recording }));
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function replay(recording: object, texts: Readonly<Record<string, string | Buffer>> = {}): Promise<Host> {
  return replayingHost(folderWith(recording, texts));
}

test('a short command entry answers with its text, exit code 0 and no error output', async () => {
  const commands = [{ tool: 'iptables-legacy-save', args: ['-c'], stdout: 'iptables-legacy-save.txt' }];
  const host = await replay({ commands }, { 'iptables-legacy-save.txt': '*nat\nCOMMIT\n' });
  expect(await host.run({ tool: 'iptables-legacy-save', args: ['-c'] })).toEqual({
    kind: 'exited',
    exitCode: 0,
    stdout: '*nat\nCOMMIT\n',
    stderr: '',
  });
  expect(await host.run({ tool: 'iptables-legacy-save', args: ['-t', 'nat'] })).toMatchObject({
    kind: 'absent',
  });
});

test('commands that fail, hang, cannot be started or are missing', async () => {
  const host = await replay({
    commands: [
      { tool: 'nft', exitCode: 3, stderr: 'no' },
      { tool: 'crictl', timeout: true },
      { tool: 'conntrack', failedToStart: 'denied' },
      { tool: 'flock', absent: true },
    ],
  });
  expect(await host.run({ tool: 'nft', args: [] })).toEqual({
    kind: 'exited',
    exitCode: 3,
    stdout: '',
    stderr: 'no',
  });
  expect(await host.run({ tool: 'crictl', args: [], timeoutMs: 70 })).toEqual({
    kind: 'timeout',
    timeoutMs: 70,
  });
  expect(await host.run({ tool: 'conntrack', args: [] })).toEqual({
    kind: 'failed-to-start',
    reason: 'denied',
  });
  expect(await host.run({ tool: 'flock', args: [] })).toMatchObject({ kind: 'absent' });
});

test('an entry without arguments answers what no other entry does', async () => {
  const commands = [
    { tool: 'nft', stdout: 'any' },
    { tool: 'nft', args: ['-v'], stdout: 'version' },
  ];
  const host = await replay({ commands }, { any: 'any', version: 'v1' });
  expect(await host.run({ tool: 'nft', args: ['-v'] })).toMatchObject({ stdout: 'v1' });
  expect(await host.run({ tool: 'nft', args: ['list', 'tables'] })).toMatchObject({ stdout: 'any' });
});

test('several answers to one question come in turn, and the last one stays', async () => {
  const commands = ['first', 'second'].map((stdout) => ({ tool: 'conntrack', args: ['-L'], stdout }));
  const host = await replay({ commands }, { first: '1', second: '2' });
  const answers = [];
  for (let index = 0; index < 3; index += 1)
    answers.push(await host.run({ tool: 'conntrack', args: ['-L'] }));
  expect(answers).toMatchObject([{ stdout: '1' }, { stdout: '2' }, { stdout: '2' }]);
});

test('a text is decoded as it was asked for', async () => {
  const files = [
    { path: '/a', content: 'a.txt' },
    { path: '/b', text: 'ä' },
  ];
  const host = await replay(
    { commands: [{ tool: 'nft', stdout: 'a.txt' }], files },
    { 'a.txt': Buffer.from([0xc3, 0xa4]) },
  );
  expect(await host.run({ tool: 'nft', args: [] })).toMatchObject({ stdout: 'ä' });
  expect(await host.run({ tool: 'nft', args: [], encoding: 'latin1' })).toMatchObject({
    stdout: '\u{c3}\u{a4}',
  });
  expect(await host.readFile('/a', 'latin1')).toEqual({ kind: 'read', text: '\u{c3}\u{a4}' });
  expect(await host.readFile('/b')).toEqual({ kind: 'read', text: 'ä' });
  expect(await host.readFile('/b', 'latin1')).toEqual({ kind: 'read', text: '\u{c3}\u{a4}' });
});

test('files, directories, processes, addresses, the cluster and connections as recorded', async () => {
  const host = await replay(
    {
      files: [
        { path: '/gone', absent: true },
        { path: '/denied', unreadable: 'EACCES' },
      ],
      directories: [
        { path: '/d', entries: ['x', { name: 'y', modifiedAt: '2026-01-01T00:00:00Z' }] },
        { path: '/none', absent: true },
      ],
      processes: [
        { name: 'k3s-server', args: ['k3s', 'server'] },
        { pid: 7, name: 'init' },
      ],
      localAddresses: { ipv4: ['10.0.0.5'] },
      kube: [
        { path: '/api/v1/nodes', body: 'kube/nodes.json' },
        { path: '/api/v1/pods', unavailable: 'forbidden' },
      ],
      connects: [
        { address: '10.43.0.80', port: 80, result: 'refused', localPort: 40_000 },
        { address: '10.43.0.81', port: 80, notTried: 'no route' },
      ],
    },
    { 'kube/nodes.json': '{}' },
  );
  expect(await host.readFile('/gone')).toEqual({ kind: 'absent' });
  expect(await host.readFile('/denied')).toEqual({ kind: 'unreadable', reason: 'EACCES' });
  expect(await host.listDirectory('/d')).toEqual([
    { name: 'x', modifiedAt: new Date(bare.recordedAt) },
    { name: 'y', modifiedAt: new Date('2026-01-01T00:00:00Z') },
  ]);
  expect(await host.listDirectory('/none')).toBeUndefined();
  expect(await host.listProcesses()).toEqual([
    { pid: 1000, name: 'k3s-server', args: ['k3s', 'server'] },
    { pid: 7, name: 'init', args: [] },
  ]);
  expect(await host.localAddresses('ipv4')).toEqual(['10.0.0.5']);
  expect(await host.localAddresses('ipv6')).toEqual([]);
  expect(await host.kubeGet('/api/v1/nodes?limit=500')).toMatchObject({ kind: 'ok', body: '{}' });
  expect(await host.kubeGet('/api/v1/pods')).toEqual({ kind: 'unavailable', reason: 'forbidden' });
  expect(await host.connectTcp('10.43.0.80', 80, 1)).toEqual({ kind: 'refused', localPort: 40_000 });
  expect(await host.connectTcp('10.43.0.81', 80, 1)).toEqual({ kind: 'not-tried', reason: 'no route' });
});

test('the state of a file is told from what was read of it, which can still be read in turn', async () => {
  const host = await replay({
    files: [
      { path: '/a', text: 'first' },
      { path: '/a', text: 'second' },
      { path: '/gone', absent: true },
      { path: '/denied', unreadable: 'EACCES' },
    ],
    directories: [
      { path: '/d', entries: [] },
      { path: '/none', absent: true },
    ],
  });
  expect(await host.fileStatus('/a')).toEqual({ kind: 'file', mode: 0o644, uid: 0, gid: 0 });
  expect(await host.readFile('/a')).toEqual({ kind: 'read', text: 'first' });
  expect(await host.fileStatus('/denied')).toEqual({ kind: 'unreadable', reason: 'EACCES' });
  expect(await host.fileStatus('/d')).toEqual({ kind: 'other', what: 'a folder' });
  for (const path of ['/gone', '/none', '/etc/hostname']) {
    expect(await host.fileStatus(path)).toEqual({ kind: 'absent' });
  }
});

test('a DNS answer is that to the question, or to any question to the server', async () => {
  const server = { server: '192.0.2.53', protocol: 'udp' } as const;
  const host = await replay({
    dns: [
      { ...server, timedOut: true },
      { ...server, name: 'a.example', type: 'A', code: 'NOERROR', records: ['192.0.2.1'] },
      { ...server, name: 'a.example', type: 'A', code: 'SERVFAIL' },
      { ...server, process: 7, blocked: 'refused' },
      { ...server, protocol: 'tls', port: 853, wrongAnswer: 'its certificate is not trusted' },
    ],
  });
  const question = { ...server, name: 'a.example', type: 'A', timeoutMs: 300 } as const;
  const answered = {
    kind: 'answered',
    code: 'NOERROR',
    records: ['192.0.2.1'],
    truncated: false,
    elapsedMs: 1,
  };
  expect(await host.askDns([{ ...question, port: 53 }, question])).toEqual([
    answered,
    { ...answered, code: 'SERVFAIL', records: [] },
  ]);
  expect(await host.askDns([{ ...question, name: 'b.example' }])).toEqual([
    { kind: 'timed-out', timeoutMs: 300 },
  ]);
  expect(await host.askDns([question], 7)).toEqual([{ kind: 'blocked', reason: 'refused' }]);
  expect(await host.askDns([{ ...question, protocol: 'tls' }])).toMatchObject([{ kind: 'wrong-answer' }]);
  expect(await host.askDns([{ ...question, protocol: 'tcp' }])).toEqual([
    { kind: 'not-asked', reason: 'not recorded' },
  ]);
});

test('an API that says no says with which status', async () => {
  const host = await replay({ kube: [{ path: '/api/v1/pods', unavailable: 'forbidden', status: 403 }] });
  expect(await host.kubeGet('/api/v1/pods')).toEqual({
    kind: 'unavailable',
    reason: 'forbidden',
    status: 403,
  });
});

test('what is not recorded does not exist, even if this machine has it', async () => {
  const host = await replay({});
  expect(host.kind).toBe('replay');
  expect(await host.run({ tool: 'nft', args: ['-v'] })).toEqual({
    kind: 'absent',
    looked: ['the recording'],
  });
  expect(await host.readFile('/proc/self/comm')).toEqual({ kind: 'absent' });
  expect(await host.listDirectory('/')).toBeUndefined();
  expect(await host.listProcesses()).toEqual([]);
  expect(await host.kubeGet('/api')).toEqual({ kind: 'unavailable', reason: 'not recorded' });
  expect(await host.connectTcp('127.0.0.1', 22, 1)).toEqual({ kind: 'not-tried', reason: 'not recorded' });
  const question = {
    server: '127.0.0.1',
    protocol: 'udp',
    name: 'localhost',
    type: 'A',
    timeoutMs: 1,
  } as const;
  expect(await host.askDns([question])).toEqual([{ kind: 'not-asked', reason: 'not recorded' }]);
  expect(await host.httpGet('http://127.0.0.1/metrics', 1)).toEqual({
    kind: 'unavailable',
    reason: 'not recorded',
  });
  expect(host.locate('k3s-doctor')).toBeUndefined();
  expect(host.now()).toEqual(new Date(bare.recordedAt));
});

test('nothing is written or started: no batch, no file, no lock, no patch, no process', async () => {
  const folder = temporaryFolder();
  const host = await replay({ commands: [{ tool: 'iptables-legacy-restore' }] });
  const refused = { kind: 'failed', reason: 'a recorded host cannot be changed' };
  expect(await host.run({ tool: 'iptables-legacy-restore', args: [], input: 'x' })).toMatchObject({
    kind: 'failed-to-start',
  });
  expect(await host.writeDurably(join(folder, 'x'), 'x')).toEqual(refused);
  expect(await host.appendDurably(join(folder, 'x'), 'x')).toEqual(refused);
  expect(await host.lock(join(folder, 'x'), 'x')).toEqual(refused);
  const file = { text: 'x', mode: 0o644, uid: 0, gid: 0 };
  expect(await host.installFile(join(folder, 'x'), file)).toEqual(refused);
  expect(await host.removeFile(join(folder, 'host.json'))).toEqual(refused);
  expect(await host.removeEmptyFolder(folder)).toEqual(refused);
  expect(await host.kubePatch('/api/v1/nodes/a', '[]')).toEqual({
    kind: 'unavailable',
    reason: refused.reason,
  });
  expect(await host.kubeApply('/api/v1/nodes/a', '{}')).toEqual({
    kind: 'unavailable',
    reason: refused.reason,
  });
  expect(await host.kubeDelete('/api/v1/nodes/a', { uid: 'u', resourceVersion: '1' })).toEqual({
    kind: 'unavailable',
    reason: refused.reason,
  });
  expect(await host.startDetached(['/bin/sh'])).toEqual(refused);
  expect(host.killProcess(process.pid)).toBe(false);
});

test.each([
  ['a missing folder', () => '/no/such/folder', /^\/no\/such\/folder: there is no such folder$/],
  ['a folder without host.json', () => temporaryFolder(), /: there is no host\.json in it$/],
  ['broken JSON', () => rawFolder('{"version": 1,'), /host\.json: not JSON: /],
  ['another version', () => folderWith({ version: 2 }), /host\.json: version: .*1/],
  ['a mistyped key', () => folderWith({ comands: [] }), /host\.json: .*"comands"/],
  [
    'an unknown tool',
    () => folderWith({ commands: [{ tool: 'rm' }] }),
    /host\.json: commands\[0\]\.tool: .*"nft"/,
  ],
  [
    'two outcomes of a command',
    () => folderWith({ commands: [{ tool: 'nft', absent: true, exitCode: 1 }] }),
    /host\.json: commands\[0\]: give either exitCode\/stdout\/stderr, or absent/,
  ],
  [
    'a file without content',
    () => folderWith({ files: [{ path: '/a' }] }),
    /files\[0\]: give one of content/,
  ],
  [
    'a text that is not there',
    () => folderWith({ commands: [{ tool: 'nft', stdout: 'x.txt' }] }),
    /host\.json: it names x\.txt, which is not there$/,
  ],
  [
    'a text outside of the folder',
    () => folderWith({ files: [{ path: '/a', content: '../../etc/passwd' }] }),
    /files\[0\]\.content: expected the name of a file inside the folder/,
  ],
  [
    'an absolute name',
    () => folderWith({ kube: [{ path: '/api', body: '/etc/passwd' }] }),
    /kube\[0\]\.body: expected the name of a file inside the folder/,
  ],
  ['a link that leads outside', linkOutside, /it names link, which lies outside the folder$/],
  [
    'a folder in place of a text',
    () => folderWith({ files: [{ path: '/a', content: '.' }] }),
    /lies outside/,
  ],
])('%s is refused, saying where and what was expected', async (_, makeFolder, message) => {
  await expect(replayingHost(makeFolder())).rejects.toMatchObject({
    name: 'DoctorError',
    code: 'usage',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('host.json'),
  });
});

function rawFolder(text: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'host.json'), text);
  return folder;
}

function linkOutside(): string {
  const folder = folderWith({ files: [{ path: '/a', content: 'link' }] });
  symlinkSync('/etc/hostname', join(folder, 'link'));
  return folder;
}
