import type { Config } from '../../config/config.ts';
import type { CommandResult, Host } from '../../host/host.ts';
import { describeFailure } from '../steps/describe-failure.ts';

export type ArmedSwitch =
  | {
      readonly kind: 'armed';
      /** The timer's unit, or `watchdog`. */
      readonly name: string;
      /** How long after it was armed it goes off. */
      readonly deadlineMs: number;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export interface SwitchOptions {
  readonly runId: string;
  /** Options that say which configuration and cluster. */
  readonly selfArgs: readonly string[];
  /** How long the plan may wait for others: that is no hanging. */
  readonly waitMs: number;
}

/**
 * Sees to it that the run is taken back in `guards.confirmSeconds`, and as long as it may wait besides,
 * whatever becomes of this process: by then `undo RUN --unless-confirmed` is run, which does nothing if the run was confirmed or has
 * ended. A timer of systemd's where it is in charge of this network; else a process of our own, which
 * looks at the journal and ends by itself.
 */
export async function armSwitch(host: Host, config: Config, options: SwitchOptions): Promise<ArmedSwitch> {
  const doctor = host.locate('k3s-doctor');
  if (doctor === undefined) return { kind: 'failed', reason: 'there is no k3s-doctor to take the run back' };
  const undo = [...doctor, 'undo', options.runId, '--unless-confirmed'];
  const seconds = config.guards.confirmSeconds + Math.ceil(options.waitMs / 1000);
  const armed = (name: string) => ({ kind: 'armed', name, deadlineMs: seconds * 1000 }) as const;
  const inService = await isInService(host);
  if (await hasSystemd(host, inService)) {
    const unit = `k3s-doctor-undo-${options.runId}`;
    const args = [
      ...['--quiet', '--collect', `--unit=${unit}`, `--on-active=${seconds}s`],
      // systemd would start it without the way to the cluster that this process has.
      ...Object.entries(host.selfEnvironment).map(([name, value]) => `--setenv=${name}=${value}`),
      // By default systemd takes a minute's liberty.
      ...['--timer-property=AccuracySec=1s', '--property=Type=oneshot', '--'],
      ...[...undo, ...options.selfArgs],
    ];
    const result = await host.run({ tool: 'systemd-run', args, timeoutMs: config.commandTimeoutMs });
    if (isDone(result)) return armed(`${unit}.timer`);
    // It may have reached systemd before it was killed; left alone, such a timer finds the run ended.
    const reason = `systemd-run did not set a timer: ${describeFailure(result)}`;
    // A process that a service leaves behind is killed with it: no watchdog from there.
    if (inService) return { kind: 'failed', reason };
  }
  const started = await host.startDetached([...undo, '--after', `${seconds}`, ...options.selfArgs]);
  if (started.kind === 'written') return armed(watchdog);
  return { kind: 'failed', reason: `no watchdog could be started: ${started.reason}` };
}

/**
 * To be called when the run stands or was taken back; it does nothing any more then. Returns a line
 * for the report when the timer could not be stopped.
 */
export async function disarmSwitch(host: Host, name: string): Promise<string | undefined> {
  if (name === watchdog) return undefined;
  const result = await host.run({ tool: 'systemctl', args: ['stop', name], timeoutMs: 5_000 });
  // Not loaded: it has gone off, and we may be what it started.
  const isGone = isDone(result) || (result.kind === 'exited' && result.exitCode === 5);
  return isGone ? undefined : `${name} could not be stopped, and will do nothing: ${describeFailure(result)}`;
}

/** It sees in the journal that the run has ended. */
const watchdog = 'watchdog';

/** As `/proc/self/cgroup` has it: `0::/system.slice/k3s-doctor.service`; a login is in a `.scope`. */
async function isInService(host: Host): Promise<boolean> {
  const cgroup = await host.readFile('/proc/self/cgroup');
  return cgroup.kind === 'read' && /\.service$/m.test(cgroup.text);
}

/**
 * In a container systemd's files may be seen while its network is another. Who may not look at
 * process 1 is taken to be where it is if it started him.
 */
async function hasSystemd(host: Host, inService: boolean): Promise<boolean> {
  if ((await host.listDirectory('/run/systemd/system')) === undefined) return false;
  return host.sameNetworkAsInit() ?? inService;
}

function isDone(result: CommandResult): boolean {
  return result.kind === 'exited' && result.exitCode === 0;
}
