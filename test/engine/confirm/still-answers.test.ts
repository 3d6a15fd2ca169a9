import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { stillAnswers } from '../../../src/engine/confirm/still-answers.ts';
import type { ProbeResult } from '../../../src/engine/journal.ts';
import type { Command, CommandResult } from '../../../src/host/host.ts';
import { madeUpNode } from './made-up-node.ts';

const up: ProbeResult = { probe: 'dns', passed: true, detail: 'it answers' };
const down: ProbeResult = { probe: 'dns', passed: false, detail: 'it is silent' };

const timeout: CommandResult = { kind: 'timeout', timeoutMs: 15_000 };
const absent: CommandResult = { kind: 'absent', looked: ['/x'] };

describe('what answered before a change', () => {
  it('still does, when a process of its own says so', async () => {
    const { problem, asked } = await ask([said([up])]);
    expect(problem).toBeUndefined();
    expect(asked).toEqual([
      { tool: 'k3s-doctor', args: ['probe', '--config', '/c.yaml'], timeoutMs: 15_000 },
    ]);
  });

  it('is asked again when it is missing once', async () => {
    expect(await ask([said([down]), said([up])])).toMatchObject({ problem: undefined, asked: [{}, {}] });
  });

  it('is missing when it is missing three times', async () => {
    const { problem, asked } = await ask([said([down])]);
    expect(problem).toBe('dns: it is silent; before: it answers');
    expect(asked).toHaveLength(3);
  });

  it('is not asked for when it was nothing', async () => {
    expect((await ask([said([])], [down])).asked).toEqual([]);
  });
});

describe('a process that cannot say anything', () => {
  it.each<[CommandResult, string]>([
    [timeout, 'the probes were not made: it did not end within 15 s and was killed'],
    [absent, 'the probes were not made: there is no such program (looked for /x)'],
    [{ kind: 'failed-to-start', reason: 'no memory' }, 'the probes were not made: no memory'],
    [exited(70, '', 'doctor: it broke\ntrace\n'), 'the probes were not made: exit code 70: doctor: it broke'],
    [exited(0, 'Segmentation fault'), 'what the probes said cannot be read'],
    [exited(0, '[{"probe":"dns"}]'), 'what the probes said cannot be read'],
    [exited(0, ''), 'what the probes said cannot be read'],
  ])('confirms nothing: %o', async (result, problem) => {
    expect(await ask([result])).toMatchObject({ problem, asked: [{}] });
  });
});

async function ask(answers: readonly CommandResult[], before: readonly ProbeResult[] = [up]) {
  const asked: Command[] = [];
  const run = async (command: Command) => {
    asked.push(command);
    return answers[asked.length - 1] ?? answers.at(-1) ?? exited(1, '');
  };
  const host = await madeUpNode({}, { run });
  const problem = await stillAnswers(before, {
    host,
    config: defaultConfig(),
    selfArgs: ['--config', '/c.yaml'],
  });
  return { problem, asked };
}

function said(results: readonly ProbeResult[]): CommandResult {
  return exited(0, `${JSON.stringify(results)}\n`);
}

function exited(exitCode: number, stdout: string, stderr = ''): CommandResult {
  return { kind: 'exited', exitCode, stdout, stderr };
}
