/** The command as an operator or a unit runs it. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { until } from '../faults/until.ts';
import { startNode } from '../node/start-node.ts';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { startHauntedNode } from './haunted-node.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { wrapTool } from './wrap-tool.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

describe('looking', () => {
  it('registers no legacy table and makes no nft table on a node without rules', async () => {
    await using node = await startNode();
    const before = await node.snapshot();
    expect(before).toMatchObject({ legacyTables: [], nftRuleset: '' });

    for (const args of [
      ['check', 'iptables-ghosts'],
      ['fix', 'iptables-ghosts', '--dry-run'],
      ['fix', 'iptables-ghosts', '--yes'],
    ]) {
      expect(await runDoctor(node, args)).toMatchObject({ exitCode: 0, findings: [] });
    }

    expect(await node.snapshot()).toEqual(before);
    expect((await node.exec(['ls', '/var/lib/k3s-doctor'])).exitCode).not.toBe(0);
  });
});

describe('looking at a node with one legacy table', () => {
  it('registers no other, in neither family', async () => {
    await using node = await startNode();
    await node.restore('legacy', 'ipv4', '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n');
    const before = await node.snapshot();
    expect(before).toMatchObject({ legacyTables: ['filter'], legacyTables6: [] });

    for (const args of [
      ['check', 'iptables-ghosts'],
      ['fix', 'iptables-ghosts', '--yes'],
    ])
      expect((await runDoctor(node, args)).exitCode).toBe(0);

    expect(await node.snapshot()).toEqual(before);
  });
});

describe('fix --dry-run', () => {
  it('changes nothing, and prints batches that do by hand what the fix does', async () => {
    await using node = await startHauntedNode();
    await addForeignRules(node, 'legacy');
    const before = await node.snapshot();

    const { exitCode, stdout } = await node.doctor(['fix', 'iptables-ghosts', '--dry-run']);

    expect(exitCode).toBe(1);
    expect(stdout).toContain('Nothing was changed: this was a dry run.');
    expectUnchanged(before, await node.snapshot());
    expect((await node.exec(['ls', '/var/lib/k3s-doctor'])).exitCode).not.toBe(0);
    const commands = stdout.match(/^ {2}\S+-restore [^\n]*<<'EOF'$.*?^EOF$/gms) ?? [];
    expect(commands).toHaveLength(3);
    for (const command of commands) await node.run(['sh', '-ec', command]);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
    expect(await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).toMatchObject({
      exitCode: 0,
      findings: [],
    });
  });
});

describe('fix --max-changes', () => {
  it('refuses a larger plan and says what to type, and takes it when that is typed', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();

    const refused = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes', '--max-changes', '1']);

    expect(refused).toMatchObject({ exitCode: 1, report: { fix: { outcome: 'not-applied' } } });
    expectUnchanged(before, await node.snapshot());
    const [words = ''] = /--max-changes \d+/.exec(refused.report.fix?.reason ?? '') ?? [];
    const taken = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes', ...words.split(' ')]);
    expect(taken).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
  });
});

describe('a person at a terminal', () => {
  it('is shown the plan and asked: no, or nothing, changes nothing; yes repairs', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();

    // The last two are Ctrl-D and Ctrl-C.
    for (const answer of ['n\n', '\n', 'maybe\n', '\u0004', '\u0003']) {
      const refused = await atTerminal(answer);
      expect(refused.stdout).toContain('-X KUBE-SVC-CDGGSHYLG3RE2FKL');
      expect(refused.stdout).toContain('Apply this plan? [y/N]');
      expect(refused.stdout).toContain('not confirmed');
      expect(refused.exitCode).toBe(1);
      expectUnchanged(before, await node.snapshot());
    }

    const done = await atTerminal('y\n');
    expect(done.stdout).toContain('Healthy again.');
    expect(done.exitCode).toBe(0);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });

    async function atTerminal(answer: string) {
      await node.run(['sh', '-c', 'rm -f /run/lab/keys /run/lab/seen; mkfifo /run/lab/keys']);
      const doctor = `${process.execPath} ${main} fix iptables-ghosts`;
      const script = `exec script --quiet --return --flush --command '${doctor}' /run/lab/seen <>/run/lab/keys`;
      const terminal = node.start(['sh', '-c', script]);
      await node.run(['timeout', '10', 'sh', '-c', untilAsked]);
      await node.run(['sh', '-c', 'cat >/run/lab/keys'], { input: answer });
      return terminal.ended;
    }
  });

  it('is who fix needs: without one it says so and changes nothing', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();

    const { exitCode, stdout, stderr } = await node.doctor(['fix', 'iptables-ghosts']);

    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^doctor: there is no terminal to ask at; use --yes .* --dry-run .*\n$/);
    expectUnchanged(before, await node.snapshot());
  });
});

const untilAsked = 'until grep -qs "Apply this plan" /run/lab/seen; do sleep 0.02; done';

describe('fix --output', () => {
  it('refuses a file that cannot be written before it changes anything', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();

    const { exitCode, stdout, stderr } = await node.doctor([
      'fix',
      'iptables-ghosts',
      '--yes',
      '--output',
      '/run/none/report',
    ]);

    expect(stderr).toMatch(/^doctor: cannot write \/run\/none\/report: .*\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expectUnchanged(before, await node.snapshot());
  });

  it('has the whole report, and standard output nothing', async () => {
    await using node = await startHauntedNode();
    const { exitCode, stdout } = await node.doctor([
      'fix',
      'iptables-ghosts',
      '--yes',
      '--output',
      '/run/lab/report',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(await node.readFile('/run/lab/report')).toContain('Healthy again.');
  });
});

describe('a report that cannot be written after a change', () => {
  it('goes to standard output instead of --output, and the fix counts as what it is', async () => {
    await using node = await startHauntedNode();
    const { exitCode, report, stderr } = await runDoctor(node, [
      'fix',
      'iptables-ghosts',
      '--yes',
      '--output',
      '/dev/full',
    ]);
    expect({ exitCode, outcome: report.fix?.outcome }).toEqual({ exitCode: 0, outcome: 'done' });
    expect(stderr).toMatch(/^doctor: cannot write \/dev\/full: .* standard output\n$/);
  });

  it('leaves a failed fix failed, when nobody reads', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    const restore = await wrapTool(node, 'iptables-legacy-restore', 'exit 1');
    await configure(node, { commands: { crictl: node.crictl, 'iptables-legacy-restore': restore } });
    const fix = `${process.execPath} ${main} fix iptables-ghosts --yes`;

    await node.run(['sh', '-c', `{ ${fix}; echo $? >/run/lab/exit-code; } | true`]);

    expect(await node.readFile('/run/lab/exit-code')).toBe('3\n');
    expectUnchanged(before, await node.snapshot());
  });
});

describe('a fix in a pod', () => {
  it('hands the way to the cluster on to the processes that watch over it', async () => {
    await using node = await startHauntedNode();
    const doctor = await wrapTool(
      node,
      'k3s-doctor',
      'echo "$1 $KUBECONFIG $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT ($SECRET)" >>/run/lab/started; real "$@"',
    );
    await configure(node, { commands: { crictl: node.crictl, 'k3s-doctor': doctor } });
    const env = {
      KUBECONFIG: '/run/lab/none:/run/lab/neither',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
      SECRET: 'leaked',
    };

    expect(await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'], { env })).toMatchObject({
      exitCode: 0,
    });

    await until(node, 'grep -q ^undo /run/lab/started');
    const told = '/run/lab/none:/run/lab/neither 127.0.0.1 6443 ()';
    const started = (await node.readFile('/run/lab/started')).trimEnd().split('\n');
    expect(new Set(started)).toEqual(new Set([`probe ${told}`, `undo ${told}`]));
  });
});

describe('a wrong call', () => {
  it.each([
    [
      ['check', 'iptables-ghost'],
      64,
      /no check or command "iptables-ghost"; did you mean "iptables-ghosts"\?/,
    ],
    [['chek'], 64, /did you mean "check"\?/],
    [
      ['check', 'iptables-ghosts', '--config', '/run/lab/none.yaml'],
      78,
      /\/run\/lab\/none\.yaml: there is no such file/,
    ],
    [
      ['check', 'iptables-ghosts', '--config', '/run/lab/bad.yaml'],
      78,
      /\/run\/lab\/bad\.yaml:2: commands\.crictl: expected an absolute path/,
    ],
    [
      ['check', 'iptables-ghosts', '--config', '/run/lab/open.yaml'],
      78,
      /\/run\/lab\/open\.yaml: may be written by everybody \(mode 0666\)/,
    ],
  ])('%s ends with %i and one clear line', async (args, code, message) => {
    await using node = await startNode();
    await node.writeFile('/run/lab/bad.yaml', 'commands:\n  crictl: crictl\n', '600');
    await node.writeFile('/run/lab/open.yaml', 'commands: {}\n', '666');

    const { exitCode, stdout, stderr } = await node.doctor(args);

    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
  });

  it('by anybody but root ends with 2 and one clear line', async () => {
    await using node = await startHauntedNode();
    // He may read the sources, wherever they are, and is not root.
    const capability = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...capability];

    for (const args of [
      ['check', 'iptables-ghosts'],
      ['fix', 'iptables-ghosts', '--yes'],
    ]) {
      const { exitCode, stdout, stderr } = await node.exec([...nobody, process.execPath, main, ...args]);
      expect(stderr).toMatch(/^doctor: k3s-doctor must be root .*\n$/);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    }
  });
});

describe('a kubeconfig', () => {
  it.each([
    ['that does not exist', undefined, /\/run\/lab\/kubeconfig/],
    ['that is not one', 'current-context: none\n', /\/run\/lab\/kubeconfig/],
    ['of an API that refuses', kubeconfigOf('https://127.0.0.1:6443'), /127\.0\.0\.1:6443/],
  ])('%s is said once, and the check goes on with what it has', async (_, text, what) => {
    await using node = await startHauntedNode();
    if (text !== undefined) await node.writeFile('/run/lab/kubeconfig', text, '600');

    const check = await runDoctor(node, ['check', 'iptables-ghosts', '--kubeconfig', '/run/lab/kubeconfig']);

    const limits = check.report.checks[0]?.limits;
    expect(limits).toEqual([expect.stringMatching(what)]);
    expect(check).toMatchObject({ exitCode: 1, reasons: [], stderr: '' });
    expect(check.findings[0]).toMatchObject({ traffic: { sentTo: [{ state: 'dead' }] } });
  });

  function kubeconfigOf(server: string): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'local', cluster: { server } }],
      users: [{ name: 'user', user: { token: 'none' } }],
      contexts: [{ name: 'local', context: { cluster: 'local', user: 'user' } }],
      'current-context': 'local',
    });
  }
});
