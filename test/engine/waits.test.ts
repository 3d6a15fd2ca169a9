/** Plans that wait for what others do with what was written. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { type ApplyContext, applyPlan } from '../../src/engine/apply.ts';
import { readHistory } from '../../src/engine/history/history.ts';
import { openJournal } from '../../src/engine/journal.ts';
import { planUndo } from '../../src/engine/plan-undo.ts';
import { carryOut } from '../../src/engine/run.ts';
import { settle } from '../../src/engine/settle.ts';
import type { Step, WaitStep } from '../../src/engine/step.ts';
import type { Host } from '../../src/host/host.ts';
import { type Files, fileHost } from './file-host.ts';

const config = defaultConfig();
const runId = '20261121T120000000Z-7';
const journal = `${config.paths.state}/journal/${runId}.jsonl`;

const write = (name: 'one' | 'two'): Step => ({
  kind: 'file-write',
  path: `/etc/${name}`,
  content: 'new\n',
  basedOn: 'old\n',
  mode: 0o644,
});
const wait: WaitStep = {
  kind: 'wait',
  title: 'example.org resolves',
  until: {
    kind: 'dns-answers',
    questions: [{ server: '192.0.2.53', protocol: 'udp', name: 'example.org', type: 'A', timeoutMs: 1500 }],
  },
  deadlineMs: 1_100,
};
const plan = [write('one'), wait, write('two')];

interface Dns {
  code: string;
  readonly asked: string[];
  /** Called at each question. */
  onQuestion?: () => void;
}

function nodeWith(files?: Files) {
  const dns: Dns = { code: 'SERVFAIL', asked: [] };
  const host = fileHost(
    files ?? new Map(['one', 'two'].map((name) => [`/etc/${name}`, Buffer.from('old\n')])),
  );
  const site = {
    host: {
      ...host,
      askDns: async () => {
        const { code } = dns;
        dns.asked.push(code);
        dns.onQuestion?.();
        return [{ kind: 'answered', code, records: [], truncated: false, elapsedMs: 1 } as const];
      },
    },
    config,
    selfArgs: [],
  };
  const texts = () => ['one', 'two'].map((name) => host.files.get(`/etc/${name}`)?.toString().trim()).join();
  const run = (steps: readonly Step[], signal?: AbortSignal) =>
    carryOut({ runId, verb: 'fix', by: 'test', why: [], steps, signal }, site);
  return { host, site, dns, texts, run };
}

describe('a plan that waits', () => {
  it('is done when it comes about, and the wait is no change', async () => {
    const { dns, site, texts, run, host } = nodeWith();
    dns.onQuestion = () => {
      if (dns.asked.length === 2) dns.code = 'NOERROR';
    };
    expect(await run(plan)).toEqual({ kind: 'done', notes: [] });
    expect(dns.asked).toEqual(['SERVFAIL', 'SERVFAIL', 'NOERROR']);
    expect(texts()).toBe('new,new');
    const { entries } = await readHistory(host, config);
    expect(entries).toMatchObject([{ changes: 2, outcome: 'done' }]);
    expect(entries[0]?.steps).toContain('wait until example.org resolves');

    const undo = await planUndo(runId, site);
    expect(undo).toMatchObject({ refused: [], done: [] });
    expect(undo.steps.map((step) => step.kind === 'file-write' && step.path)).toEqual([
      '/etc/two',
      '/etc/one',
    ]);
    expect([...host.files.keys()].filter((path) => path.includes('/backups/'))).toHaveLength(2);
  });

  it('tells what somebody else has made of it meanwhile, and leaves that alone', async () => {
    const { dns, host, texts, run } = nodeWith();
    dns.onQuestion = () => {
      host.files.set('/etc/one', Buffer.from('theirs\n'));
      dns.code = 'NOERROR';
    };
    dns.code = 'SERVFAIL';
    expect(await run(plan)).toMatchObject({
      kind: 'done',
      notes: [expect.stringMatching(/^changed by somebody else since: .*\/etc\/one/)],
    });
    expect(texts()).toBe('theirs,new');
  });

  it('is done at once where it has come about', async () => {
    const { dns, run } = nodeWith();
    dns.code = 'NOERROR';
    expect(await run(plan)).toMatchObject({ kind: 'done' });
    expect(dns.asked).toHaveLength(1);
  });

  it('is taken back when it does not come about, and of the wait nothing is said but why', async () => {
    const { texts, run, host } = nodeWith();
    expect(await run(plan)).toEqual({
      kind: 'failed',
      reason: 'example.org resolves: not so within 1.1 s: 192.0.2.53: SERVFAIL',
      reverted: {
        complete: true,
        retryable: false,
        notes: [expect.stringMatching(/^taken back: write \/etc\/one/)],
      },
    });
    expect(texts()).toBe('old,old');
    expect((await readHistory(host, config)).entries).toMatchObject([{ outcome: 'reverted' }]);
  });

  it('goes on all the same where what it waits for may have been there before; the next wait decides', async () => {
    const { texts, run, dns } = nodeWith();
    const unseen = { ...wait, orGoOn: true } as const;
    expect(await run([write('one'), unseen, write('two')])).toEqual({ kind: 'done', notes: [] });
    expect(texts()).toBe('new,new');
    expect(new Set(dns.asked)).toEqual(new Set(['SERVFAIL']));
    const again = nodeWith();
    expect(await again.run([write('one'), unseen, wait])).toMatchObject({ kind: 'failed' });
    expect(again.texts()).toBe('old,old');
  });

  it('is taken back at once when somebody asks to stop, and nothing is held against it', async () => {
    const { texts, run } = nodeWith();
    const began = performance.now();
    const long = [write('one'), { ...wait, deadlineMs: 60_000 }, write('two')];
    const stopped = await run(long, stopAfter(300));
    expect(stopped).toMatchObject({
      kind: 'stopped',
      reason: 'asked to stop during: wait until example.org resolves',
      reverted: { complete: true },
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(texts()).toBe('old,old');
  });

  it('is a failure when the dead man is about to go off meanwhile', async () => {
    const { run } = nodeWith();
    expect(await run([{ ...wait, deadlineMs: 60_000 }], AbortSignal.timeout(100))).toMatchObject({
      kind: 'failed',
      reason: "no time was left before the dead man's switch: wait until example.org resolves",
    });
  });
});

function stopAfter(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

describe('a run that was killed', () => {
  /** The node at the moment that a wait asks for the first time, or whenever the journal has such a line. */
  async function killed(when: 'waiting' | RegExp): Promise<Files> {
    const { host, dns, site } = nodeWith();
    let files: Files | undefined;
    dns.onQuestion = () => {
      if (when === 'waiting') files ??= new Map(host.files);
      dns.code = 'NOERROR';
    };
    const { appendDurably } = site.host;
    site.host.appendDurably = async (path, line) => {
      const written = await appendDurably(path, line);
      if (when !== 'waiting' && when.test(line)) files ??= new Map(host.files);
      return written;
    };
    await carryOut({ runId, verb: 'fix', by: 'test', why: [], steps: [...plan.slice(0, 2)] }, site);
    if (!files) throw new Error('it did not come to that');
    return files;
  }

  it('while it waited stands if it has come about since', async () => {
    const { dns, texts, site } = nodeWith(await killed('waiting'));
    dns.code = 'NOERROR';
    expect(await settle(site)).toMatchObject({ outcome: 'done', isOpen: false });
    expect(texts()).toBe('new,old');
    expect(dns.asked).toHaveLength(1);
  });

  it('while it waited is taken back if it has not: nobody waits another time', async () => {
    const { dns, texts, site } = nodeWith(await killed('waiting'));
    const began = performance.now();
    expect(await settle(site)).toMatchObject({
      outcome: 'reverted',
      isOpen: false,
      notes: [expect.stringMatching(/^taken back: write \/etc\/one/)],
    });
    expect(texts()).toBe('old,old');
    expect(dns.asked).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(900);
  });

  it('after it had waited stands by what was seen then', async () => {
    const { dns, texts, site } = nodeWith(await killed(/"step-done","index":1/));
    expect(await settle(site)).toMatchObject({ outcome: 'done' });
    expect(texts()).toBe('new,old');
    expect(dns.asked).toEqual([]);
  });

  it('while it waited with more to come is taken back', async () => {
    const files = new Map(await killed('waiting'));
    const text = files.get(journal)?.toString() ?? '';
    const [begin = '', ...rest] = text.split('\n');
    const longer = JSON.stringify({ ...JSON.parse(begin), steps: plan });
    const { dns, texts, site, host } = nodeWith(files);
    host.files.set(journal, Buffer.from([longer, ...rest].join('\n')));
    dns.code = 'NOERROR';
    expect(await settle(site)).toMatchObject({ outcome: 'reverted' });
    expect(texts()).toBe('old,old');
  });
});

describe('a change of the firewall ahead of a wait', () => {
  const open: Step = {
    kind: 'command',
    title: 'let it through',
    command: { tool: 'ufw', args: ['on'] },
    revert: { tool: 'ufw', args: ['off'] },
    firewall: true,
  };

  async function apply(steps: readonly Step[], problem?: string) {
    const { host, site, dns } = nodeWith();
    dns.code = 'NOERROR';
    const log: string[] = [];
    const run = async ({ args }: { args: readonly string[] }) => {
      log.push(args.join());
      await delay(1);
      return { kind: 'exited', exitCode: 0, stdout: '', stderr: '' } as const;
    };
    dns.onQuestion = () => void log.push('waits');
    const context: ApplyContext = {
      host: { ...site.host, run },
      timeoutMs: 1000,
      journal: openJournal(host, config, runId),
      stillAnswers: async () => {
        log.push('asked');
        return problem;
      },
      confirm: async () => {
        log.push('confirmed');
        return undefined;
      },
    };
    return { applied: await applyPlan(steps, context), log };
  }

  it('is asked about before anybody is kept waiting', async () => {
    const { log, applied } = await apply([open, open, write('one'), wait]);
    expect(applied.kind).toBe('done');
    expect(log).toEqual(['on', 'on', 'asked', 'waits', 'confirmed']);
  });

  it('is taken back at once when it shuts somebody out', async () => {
    const { log, applied } = await apply([open, wait], 'ssh: no answer');
    expect(applied).toMatchObject({ kind: 'failed', reason: 'ssh: no answer', reverted: { complete: true } });
    expect(log).toEqual(['on', 'asked', 'off']);
  });

  it("puts the dead man's switch off by as long as the plan may wait", async () => {
    const { site } = nodeWith();
    const started: (readonly string[])[] = [];
    const host: Host = {
      ...site.host,
      locate: () => ['k3s-doctor'],
      run: async () => ({ kind: 'exited', exitCode: 0, stdout: '[]', stderr: '' }),
      startDetached: async (argv) => {
        started.push(argv);
        return { kind: 'written' };
      },
    };
    const request = { runId, verb: 'fix', by: 'test', why: [], steps: [open, wait, wait] } as const;
    await carryOut(request, { ...site, host });
    const seconds = config.guards.confirmSeconds + 3;
    expect(started).toEqual([['k3s-doctor', 'undo', runId, '--unless-confirmed', '--after', `${seconds}`]]);
  });

  it('is not, where no wait comes after it', async () => {
    expect((await apply([open])).log).toEqual(['on', 'confirmed']);
    expect((await apply([wait, open])).log).toEqual(['waits', 'on', 'confirmed']);
  });
});
