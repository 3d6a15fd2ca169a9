import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Site } from '../engine/site.ts';
import type { CommandLine, CommandStep } from '../engine/step.ts';
import { describeFailure } from '../engine/steps/describe-failure.ts';
import type { Host } from '../host/host.ts';
import { isTimer } from './units.ts';

/** Whether systemd is in charge of this machine. */
export async function hasSystemd(host: Host): Promise<boolean> {
  const { kind } = await host.fileStatus('/run/systemd/system');
  return kind === 'other';
}

export const noSystemd =
  'systemd is not at work here: its units are neither reloaded nor enabled nor stopped';

/** Stands before and after changes of unit files: a roll-back goes backwards and has to end with it. */
export const reload: CommandStep = {
  kind: 'command',
  title: 'let systemd read its units again',
  command: systemctl('daemon-reload'),
  revert: systemctl('daemon-reload'),
};

/** What it takes for a unit to run, now and after each boot. A service has run when it has been enabled. */
export async function enableSteps(unit: string, site: Site): Promise<readonly CommandStep[]> {
  const { isEnabled, activity } = await readUnit(unit, site);
  const isStarted = isTimer(unit) ? activity === 'active' : isEnabled;
  const begin = isTimer(unit) ? start(unit) : beginWork(unit);
  return [...(isEnabled ? [] : [enable(unit)]), ...(isStarted ? [] : [begin])];
}

export interface DisableSteps {
  /** Before the unit's file goes. */
  readonly before: readonly CommandStep[];
  /** When systemd knows that it has gone. */
  readonly after: readonly CommandStep[];
}

/** What it takes for a unit to be neither enabled nor at work, nor remembered. */
export async function disableSteps(unit: string, site: Site): Promise<DisableSteps> {
  const { isEnabled, activity } = await readUnit(unit, site);
  const isIdle = activity === 'inactive' || activity === 'failed' || activity === 'unknown';
  const stop = isTimer(unit) ? takeBack(start(unit), `stop ${unit}`) : endWork(unit);
  const isForgotten = activity === 'inactive' || activity === 'unknown' || isTimer(unit);
  return {
    before: [...(isEnabled ? [takeBack(enable(unit), `disable ${unit}`)] : []), ...(isIdle ? [] : [stop])],
    after: isForgotten ? [] : [forget(unit)],
  };
}

function enable(unit: string): CommandStep {
  return {
    kind: 'command',
    title: `enable ${unit}, for every boot`,
    command: systemctl('enable', unit),
    check: systemctl('is-enabled', '--quiet', unit),
    revert: systemctl('disable', unit),
  };
}

function start(unit: string): CommandStep {
  return {
    kind: 'command',
    title: `start ${unit}`,
    command: systemctl('start', unit),
    check: systemctl('is-active', '--quiet', unit),
    revert: systemctl('stop', unit),
  };
}

function takeBack({ command, revert, ...step }: CommandStep, title: string): CommandStep {
  return { ...step, title, undoes: true, command: revert ?? command, revert: command };
}

/** Not waited for: it needs the lock that this run holds, and tries again until it has it. */
function beginWork(service: string): CommandStep {
  return {
    kind: 'command',
    title: `start ${service}`,
    command: systemctl('start', '--no-block', service),
    revert: systemctl('stop', service),
  };
}

/** Without a check: for systemd, a service of one command is never "active", only on its way there. */
function endWork(service: string): CommandStep {
  return {
    kind: 'command',
    title: `stop ${service}, which is at work`,
    command: systemctl('stop', service),
    revert: systemctl('start', '--no-block', service),
  };
}

function forget(service: string): CommandStep {
  return {
    kind: 'command',
    title: `forget that ${service} has failed`,
    command: systemctl('reset-failed', service),
    check: systemctl('is-failed', '--quiet', service),
    undoes: true,
  };
}

function systemctl(...args: readonly string[]): CommandLine {
  return { tool: 'systemctl', args };
}

async function readUnit(unit: string, site: Site) {
  const [enabled, activity] = await Promise.all([
    ask('is-enabled', unit, site),
    ask('is-active', unit, site),
  ]);
  return { isEnabled: enabled.startsWith('enabled'), activity };
}

/** One word of systemctl's. Throws DoctorError `undetermined` when it has none. */
async function ask(
  verb: string,
  unit: string,
  { host, config }: { host: Host; config: Config },
): Promise<string> {
  const result = await host.run({
    tool: 'systemctl',
    args: [verb, unit],
    timeoutMs: config.commandTimeoutMs,
  });
  if (result.kind === 'exited' && result.exitCode < 126) return result.stdout.trim();
  throw new DoctorError('undetermined', `systemctl ${verb} ${unit}: ${describeFailure(result)}`, {
    hint: 'nothing was changed',
  });
}
