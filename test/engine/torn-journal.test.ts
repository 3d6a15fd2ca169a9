import { expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { readHistory } from '../../src/engine/history/history.ts';
import { carryOut } from '../../src/engine/run.ts';
import { settle } from '../../src/engine/settle.ts';
import type { FileWriteStep } from '../../src/engine/step.ts';
import { bindStep } from '../../src/engine/steps/steps.ts';
import type { Host } from '../../src/host/host.ts';
import { type Files, fileHost } from './file-host.ts';

const config = defaultConfig();
const state = config.paths.state;
const runId = '20261121T120000000Z-7';
const journal = `${state}/journal/${runId}.jsonl`;
const pointer = `${state}/journal/open`;
const backups = `${state}/backups/${runId}`;

const before = { '/etc/one': 'one\n', '/etc/two': 'two\n' };
const after = { '/etc/one': 'uno\n', '/etc/two': 'due\n' };
const steps = (['/etc/one', '/etc/two'] as const).map(
  (path): FileWriteStep => ({
    kind: 'file-write',
    path,
    content: after[path],
    basedOn: before[path],
    mode: 0o644,
  }),
);

it('killed after any write, with the last line of the journal torn at any byte, it is done or taken back as a whole', async () => {
  const outcomes = new Map<string, number>();
  for (const { files, appended } of await runAndWatch()) {
    for (let cut = 0; cut <= appended; cut++) {
      const torn = new Map(files);
      if (cut > 0) torn.set(journal, (files.get(journal) ?? Buffer.of()).subarray(0, -cut));
      const host = fileHost(torn);

      const settled = await settle(siteOf(host));

      const outcome = settled?.outcome ?? (host.files.has(journal) ? 'not begun' : 'no journal');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      expect(host.files.has(pointer), `${cut} bytes cut`).toBe(false);
      const now = etc(host.files);
      expect([before, after]).toContainEqual(now);
      if (settled) {
        expect(settled).toMatchObject({
          isOpen: false,
          outcome: now['/etc/one'] === 'uno\n' ? 'done' : 'reverted',
        });
        expect((await readHistory(host, config)).entries.map((entry) => entry.outcome)).toEqual([
          settled.outcome,
        ]);
      }
      expect(await settle(siteOf(host))).toBeUndefined();
    }
  }
  expect([...outcomes.keys()].sort()).toEqual(['done', 'no journal', 'not begun', 'reverted']);
});

it('killed after any write of settling, too', async () => {
  const killed = (await runAndWatch()).filter(({ files }) => files.has(pointer));
  for (const { files } of killed) {
    for (const half of await watch(files, (host) => settle(siteOf(host)))) {
      const host = fileHost(half.files);
      await settle(siteOf(host));
      expect([before, after]).toContainEqual(etc(host.files));
      expect(host.files.has(pointer)).toBe(false);
      expect((await readHistory(host, config)).entries).toHaveLength(
        host.files.get(journal)?.includes('begin') ? 1 : 0,
      );
    }
  }
});

it.each([
  ['is empty', (files: Map<string, Buffer>) => files.set(journal, Buffer.of()), undefined],
  ['is gone', (files: Map<string, Buffer>) => files.delete(journal), undefined],
  ['is full of NUL', (files: Map<string, Buffer>) => files.set(journal, Buffer.alloc(300)), undefined],
  [
    'has lost its first line',
    (files: Map<string, Buffer>) =>
      files.set(journal, Buffer.from((files.get(journal)?.toString() ?? '').replace(/^.*\n/, 'null\n'))),
    /its journal .* is damaged/,
  ],
])(
  'a journal that %s is no reason to guess, and not in the way of the next run',
  async (_what, damage, says) => {
    const host = fileHost(await killedAfterFirstStep());
    damage(host.files);

    const settled = await settle(siteOf(host));

    expect(etc(host.files)).toEqual({ ...before, '/etc/one': 'uno\n' });
    expect(settled?.notes.join()).toEqual(says && expect.stringMatching(says));
    if (says) expect(settled).toMatchObject({ outcome: 'incomplete', isOpen: false });
    expect(host.files.has(pointer)).toBe(false);
  },
);

it('a journal that cannot be read is said, and not taken for a run that was never begun', async () => {
  const host = fileHost(await killedAfterFirstStep());
  host.unreadable.set(journal, 'input/output error');

  expect(await settle(siteOf(host))).toMatchObject({
    outcome: 'incomplete',
    notes: [expect.stringContaining('input/output error')],
  });
  expect(etc(host.files)).toEqual({ ...before, '/etc/one': 'uno\n' });
});

it.each(['', '\n', 'garbage\n', '\0\0\0\0', '../../etc/passwd'])(
  'a name of the open run that reads %j means the newest run',
  async (text) => {
    const host = fileHost(await killedAfterFirstStep());
    host.files.set(pointer, Buffer.from(text));

    expect(await settle(siteOf(host))).toMatchObject({ run: runId, outcome: 'reverted' });
    expect(etc(host.files)).toEqual(before);
    expect(host.files.has(pointer)).toBe(false);
  },
);

it.each([
  ['gone', (files: Map<string, Buffer>) => files.delete(`${backups}/1-one.json`)],
  ['empty', (files: Map<string, Buffer>) => files.set(`${backups}/1-one.json`, Buffer.of())],
  ['cut short', (files: Map<string, Buffer>) => files.set(`${backups}/1-one.json`, Buffer.from('{"file":'))],
])('what has a backup that is %s is left as it is and named', async (_what, damage) => {
  const host = fileHost(await killedAfterFirstStep());
  damage(host.files);

  expect(await settle(siteOf(host))).toMatchObject({
    outcome: 'incomplete',
    isOpen: false,
    notes: [expect.stringMatching(/write \/etc\/one .*: its backup .*1-one\.json cannot be read/)],
  });
  expect(etc(host.files)).toEqual({ ...before, '/etc/one': 'uno\n' });
  expect(host.files.has(pointer)).toBe(false);
});

it('a table that was kept is known whole, or not at all', () => {
  const removal = { table: 'nat', chains: ['KUBE-SERVICES'], rules: [] };
  const change = { kind: 'remove', removal, digest: '' } as const;
  const step = {
    kind: 'iptables-batch',
    backend: 'legacy',
    family: 'ipv4',
    change,
    ownersWrite: false,
  } as const;
  const dump = [
    ...['# Generated by iptables-save v1.8.9', '*nat', ':PREROUTING ACCEPT [0:0]', ':KUBE-SERVICES - [0:0]'],
    ...['[0:0] -A PREROUTING -j KUBE-SERVICES', 'COMMIT', '# Completed', ''],
  ].join('\n');
  const lengths = Array.from({ length: dump.length + 1 }, (_, length) => length);
  const known = lengths.filter((length) => bindStep(step).recall(dump.slice(0, length)) !== undefined);
  expect(known[0]).toBe(dump.indexOf('COMMIT') + 'COMMIT'.length);
  expect(known).toEqual(lengths.filter((length) => length >= (known[0] ?? 0)));
});

it('a run that was taken back after its "confirmed" could not be brought to disk does not stand', async () => {
  const host = fileHost(await killedAfterFirstStep());
  host.files.set(
    journal,
    Buffer.concat([host.files.get(journal) ?? Buffer.of(), lines('confirmed', 'reverting')]),
  );

  expect(await settle(siteOf(host))).toMatchObject({ outcome: 'reverted' });
  expect(etc(host.files)).toEqual(before);
});

it('a run whose taking back could not be noted does not stand', async () => {
  const all = await runAndWatch();
  const verified =
    all.findLast(({ files }) => !files.get(journal)?.includes('confirmed'))?.files ?? new Map();
  const host = fileHost(verified);
  host.files.set('/etc/two', Buffer.from(before['/etc/two']));

  expect(await settle(siteOf(host))).toMatchObject({ outcome: 'reverted' });
  expect(etc(host.files)).toEqual(before);
});

it('a boot that could not be named when the run began is not taken for another one', async () => {
  for (const [bootId, kept] of [
    ['', before],
    ['another-boot', { ...before, '/etc/one': 'uno\n' }],
  ] as const) {
    const host = fileHost(await killedAfterFirstStep());
    const text = host.files.get(journal)?.toString() ?? '';
    // What is in /run is gone with a boot.
    const volatile = text.replaceAll('"/etc/', '"/run/').replace(/"bootId":"[^"]*"/, `"bootId":"${bootId}"`);
    host.files.set(journal, Buffer.from(volatile));
    for (const [path, content] of Object.entries(etc(host.files))) {
      host.files.set(path.replace('/etc/', '/run/'), Buffer.from(content));
      host.files.delete(path);
    }
    expect(await settle(siteOf(host))).toMatchObject({ outcome: 'reverted' });
    expect(host.files.get('/run/one')?.toString()).toBe(kept['/etc/one']);
  }
});

it('a run that is closed twice is remembered once, and nobody hears of it again', async () => {
  const host = fileHost(new Map(Object.entries(before).map(([path, text]) => [path, Buffer.from(text)])));
  const why = [{ key: 'a check', message: 'm', digest: 'd' }];
  const broken: Host = { ...host, installFile: async () => ({ kind: 'failed', reason: 'no room' }) };
  await carryOut({ runId, verb: 'fix', by: 'test', why, steps }, siteOf(broken));
  const remembered = host.files.get(`${state}/state.json`)?.toString();
  expect(remembered).toContain('"failures":1');
  host.files.set(pointer, Buffer.from(`${runId}\n`));

  expect(await settle(siteOf(host))).toBeUndefined();

  expect(host.files.has(pointer)).toBe(false);
  expect(host.files.get(`${state}/state.json`)?.toString()).toBe(remembered);
});

it('a run whose process is still there is not settled: somebody has removed its lock', async () => {
  const files = new Map(await killedAfterFirstStep());
  const host = fileHost(files);
  const began = files.get(journal)?.toString() ?? '';
  host.files.set(
    journal,
    Buffer.from(
      began.replace(/"pid":\d+/, '"pid":4321').replace(/"processStart":"[^"]*"/, '"processStart":"99"'),
    ),
  );
  const fields = Array.from({ length: 20 }, (_, i) => (i === 19 ? '99' : '0'));
  host.files.set('/proc/4321/stat', Buffer.from(`4321 (node) ${fields.join(' ')}`));

  await expect(settle(siteOf(host))).rejects.toMatchObject({ code: 'locked' });
  expect(await settle(siteOf(host), true)).toMatchObject({ outcome: 'reverted' });
});

it('a bug in the middle of a plan leaves nothing between', async () => {
  const host = fileHost(new Map(Object.entries(before).map(([path, text]) => [path, Buffer.from(text)])));
  const installFile: Host['installFile'] = async (path, file) => {
    if (path === '/etc/two') throw new Error('a bug');
    return host.installFile(path, file);
  };
  const request = { runId, verb: 'fix', by: 'test', why: [], steps } as const;

  await expect(carryOut(request, siteOf({ ...host, installFile }))).rejects.toThrow('a bug');

  expect(etc(host.files)).toEqual(before);
  expect(await settle(siteOf(host))).toMatchObject({ outcome: 'reverted' });
});

/** The files as they are after each write of a run, and how many bytes it appended to the journal. */
function runAndWatch() {
  return watch(new Map(Object.entries(before).map(([path, text]) => [path, Buffer.from(text)])), (host) =>
    carryOut({ runId, verb: 'fix', by: 'test', why: [], steps }, siteOf(host)),
  );
}

async function killedAfterFirstStep(): Promise<Files> {
  const all = await runAndWatch();
  const found = all.find(({ files }) => files.get(journal)?.includes('step-done'));
  if (!found) throw new Error('the run did not come to its first step');
  return found.files;
}

async function watch(
  files: Files,
  work: (host: Host) => Promise<unknown>,
): Promise<readonly { readonly files: Files; readonly appended: number }[]> {
  const host = fileHost(files);
  const seen: { files: Files; appended: number }[] = [{ files: new Map(files), appended: 0 }];
  const look = async <T>(change: () => Promise<T>): Promise<T> => {
    const length = host.files.get(journal)?.length ?? 0;
    const result = await change();
    const appended = (host.files.get(journal)?.length ?? 0) - length;
    seen.push({ files: new Map(host.files), appended });
    return result;
  };
  await work({
    ...host,
    writeDurably: (path, text) => look(() => host.writeDurably(path, text)),
    appendDurably: (path, line) => look(() => host.appendDurably(path, line)),
    removeFile: (path) => look(() => host.removeFile(path)),
    installFile: (path, file) => look(() => host.installFile(path, file)),
  });
  return seen;
}

function siteOf(host: Host) {
  return { host, config, selfArgs: [] };
}

function etc(files: Files): Record<string, string> {
  return Object.fromEntries(
    [...files].filter(([path]) => path.startsWith('/etc/')).map(([path, bytes]) => [path, bytes.toString()]),
  );
}

function lines(...events: readonly string[]): Buffer {
  return Buffer.from(
    events.map((event) => `{"at":"2026-11-21T12:00:00.000Z","event":"${event}"}\n`).join(''),
  );
}
