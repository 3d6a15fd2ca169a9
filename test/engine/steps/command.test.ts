import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CommandStep } from '../../../src/engine/step.ts';
import { type CommandBefore, command } from '../../../src/engine/steps/command.ts';
import { fakeProgram, temporaryFolder } from '../../host/temporary-folder.ts';
import { liveNode } from './live-node.ts';

/** A machine whose systemctl keeps the one unit that it knows in a file, and does as the file `mood` says. */
function machine() {
  const folder = temporaryFolder();
  const body = `
    case "$(cat ${folder}/mood 2>/dev/null)" in fail) echo "no bus" >&2; exit 3;; hang) sleep 60;; esac
    echo "$1" >>${folder}/calls
    case "$1" in
      enable) touch ${folder}/enabled;;
      disable) rm -f ${folder}/enabled;;
      is-enabled) test -e ${folder}/enabled;;
      killed) kill -9 $$;;
    esac`;
  const context = liveNode({ commands: { systemctl: [fakeProgram(join(folder, 'systemctl'), body)] } });
  return {
    context: { ...context, timeoutMs: 10_000 },
    isEnabled: () => existsSync(join(folder, 'enabled')),
    calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
    mood: (mood: 'fail' | 'hang' | 'good') => {
      if (mood === 'good') rmSync(join(folder, 'mood'));
      else writeFileSync(join(folder, 'mood'), mood);
    },
  };
}

const unit = (verb: string) => ({ tool: 'systemctl', args: [verb, 'x.timer'] }) as const;
const enable: CommandStep = {
  kind: 'command',
  title: 'enable x.timer',
  command: unit('enable'),
  check: unit('is-enabled'),
  revert: unit('disable'),
};
const { check: _check, ...unchecked } = enable;
const { revert: _revert, ...oneWay } = enable;

type Machine = ReturnType<typeof machine>;

async function needed(step: CommandStep, { context }: Machine): Promise<CommandBefore> {
  const probed = await command.probe(step, context);
  if (probed.kind !== 'needed') throw new Error(JSON.stringify(probed));
  return probed.before;
}

function inverseOf(step: CommandStep, before: CommandBefore): CommandStep {
  const inverse = command.revert(step, before);
  if (inverse?.kind !== 'command') throw new Error('no inverse');
  return JSON.parse(JSON.stringify(inverse));
}

test('it is run when its check says no, and is done when its check says yes', async () => {
  const node = machine();
  const before = await needed(enable, node);
  expect(before).toEqual({ checked: 1 });
  expect(await command.apply(enable, before, node.context)).toEqual({ kind: 'written' });
  expect(await command.verify(enable, before, node.context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await command.probe(enable, node.context)).toEqual({ kind: 'done', notes: [] });
  expect(node.calls()).toEqual(['is-enabled', 'enable', 'is-enabled', 'is-enabled']);
});

test('the inverse takes it back, and has nothing to do before and after', async () => {
  const node = machine();
  const before = await needed(enable, node);
  const inverse = inverseOf(enable, before);
  expect(await command.probe(inverse, node.context)).toEqual({ kind: 'done', notes: [] });
  await command.apply(enable, before, node.context);

  expect(command.describe(inverse)).toMatchObject({
    title: 'take back: enable x.timer',
    command: 'systemctl disable x.timer',
  });
  const back = await needed(inverse, node);
  await command.apply(inverse, back, node.context);
  expect(node.isEnabled()).toBe(false);
  expect(await command.verify(inverse, back, node.context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await command.probe(inverse, node.context)).toEqual({ kind: 'done', notes: [] });
  expect(inverseOf(inverse, back)).toEqual(enable);
});

test('its check counts, whatever the program said', async () => {
  const node = machine();
  const lying: CommandStep = { ...enable, command: unit('status') };
  const before = await needed(lying, node);
  expect(await command.apply(lying, before, node.context)).toEqual({ kind: 'written' });
  expect(await command.verify(lying, before, node.context)).toEqual({
    kind: 'not-as-planned',
    reason: 'enable x.timer: its check says that it is not so (exit code 1)',
  });
});

test.each([
  ['fails', 'fail', 'exit code 3: no bus'],
  ['hangs', 'hang', 'it did not end within 0.2 s and was killed'],
] as const)('a program that %s is quoted', async (_, mood, reason) => {
  const node = machine();
  const before = await needed(enable, node);
  node.mood(mood);
  const context = { ...node.context, timeoutMs: mood === 'hang' ? 200 : 10_000 };
  expect(await command.apply(enable, before, context)).toEqual({
    kind: 'failed',
    reason: `systemctl enable x.timer: ${reason}`,
  });
});

test('a check that does not run to its end says nothing', async () => {
  const node = machine();
  const before = await needed(enable, node);
  const killed = { ...enable, check: unit('killed') };
  const reason = 'enable x.timer: systemctl killed x.timer: exit code 137';
  expect(await command.probe(killed, node.context)).toEqual({ kind: 'failed', reason });
  expect(await command.verify(killed, before, node.context)).toEqual({ kind: 'unreadable', reason });
  node.mood('hang');
  const impatient = { ...node.context, timeoutMs: 200 };
  expect(await command.probe(enable, impatient)).toMatchObject({ kind: 'failed' });
  const absent: CommandStep = { ...enable, check: { tool: 'crictl', args: [] } };
  const nowhere = liveNode({ commands: { crictl: ['/no/such/crictl'] } });
  expect(await command.probe(absent, nowhere)).toMatchObject({ kind: 'failed' });
});

test('without a check it is always run, and judged by its exit code', async () => {
  const node = machine();
  const good = await needed(unchecked, node);
  await command.apply(unchecked, good, node.context);
  expect(await command.verify(unchecked, good, node.context)).toEqual({ kind: 'as-planned', notes: [] });
  const bad = await needed(unchecked, node);
  node.mood('fail');
  await command.apply(unchecked, bad, node.context);
  expect(await command.verify(unchecked, bad, node.context)).toEqual({
    kind: 'not-as-planned',
    reason: 'enable x.timer: it failed',
  });
});

test('without a check, another process cannot tell whether it was done', async () => {
  const node = machine();
  const before = await needed(unchecked, node);
  await command.apply(unchecked, before, node.context);
  const recalled = command.backup.parse(command.backup.print(before));
  if (recalled === undefined) throw new Error('a damaged backup');
  expect(await command.verify(unchecked, recalled, node.context)).toMatchObject({ kind: 'unreadable' });
  const inverse = inverseOf(unchecked, recalled);
  await command.apply(inverse, await needed(inverse, node), node.context);
  expect(node.isEnabled()).toBe(false);
});

test('what has no way back says so', () => {
  expect(command.revert(oneWay, { checked: 1 })).toBeUndefined();
  expect(command.describe(oneWay)).toMatchObject({ reversible: false, changes: 1, firewall: false });
  expect(command.describe({ ...enable, firewall: true })).toMatchObject({ reversible: true, firewall: true });
  expect(command.describe({ ...enable, command: { tool: 'nft', args: ['a b'] } }).command).toBe("nft 'a b'");
});

test('a damaged backup is none', () => {
  expect(command.backup.name(enable)).toBe('systemctl.json');
  expect(command.backup.parse(command.backup.print({ checked: 1 }))).toEqual({ checked: 1 });
  for (const text of ['', '{', '[]', '{}', '{"checked": "1"}']) {
    expect(command.backup.parse(text)).toBeUndefined();
  }
});
