import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { armSwitch, disarmSwitch } from '../../../src/engine/confirm/dead-mans-switch.ts';
import type { CommandResult, Host } from '../../../src/host/host.ts';
import { madeUpNode } from './made-up-node.ts';

const done: CommandResult = { kind: 'exited', exitCode: 0, stdout: '', stderr: '' };
const refused: CommandResult = { ...done, exitCode: 1, stderr: 'Failed to start transient timer unit: no' };
const service = '0::/system.slice/k3s-doctor.service\n';
const login = '0::/user.slice/user-0.slice/session-3.scope\n';
const oldService = '12:pids:/\n1:name=systemd:/system.slice/k3s-doctor.service\n0::/\n';
const program = ['/usr/bin/node', '/opt/doctor.js'];

describe('where systemd is in charge', () => {
  it('a transient timer takes the run back', async () => {
    expect(await arm({ cgroup: login, sameNetwork: true })).toEqual({
      armed: { kind: 'armed', name: 'k3s-doctor-undo-r1.timer', deadlineMs: 120_000 },
      started: [
        [
          ...['systemd-run', '--quiet', '--collect', '--unit=k3s-doctor-undo-r1', '--on-active=120s'],
          ...['--timer-property=AccuracySec=1s', '--property=Type=oneshot', '--'],
          ...['/usr/bin/node', '/opt/doctor.js', 'undo', 'r1', '--unless-confirmed', '--config', '/c.yaml'],
        ],
      ],
    });
  });

  it('later where the plan may wait: that is no hanging', async () => {
    const { armed, started } = await arm({ cgroup: login, sameNetwork: true }, {}, 180_500);
    expect(armed).toMatchObject({ deadlineMs: 301_000 });
    expect(started[0]).toContain('--on-active=301s');
  });

  it('which is told the way to the cluster', async () => {
    const selfEnvironment = { KUBECONFIG: '/a:/b', KUBERNETES_SERVICE_HOST: '10.43.0.1' };
    const { started } = await arm({ cgroup: login, sameNetwork: true }, { selfEnvironment });
    const [call = []] = started;
    expect(call.slice(0, call.indexOf('--')).filter((arg) => arg.startsWith('--setenv'))).toEqual([
      '--setenv=KUBECONFIG=/a:/b',
      '--setenv=KUBERNETES_SERVICE_HOST=10.43.0.1',
    ]);
  });

  it('a timer that is refused gives way to a watchdog, from a login', async () => {
    const { armed, started } = await arm({ cgroup: login, sameNetwork: true, systemdRun: refused });
    expect(armed).toMatchObject({ kind: 'armed', name: 'watchdog' });
    expect(started.map(([first]) => first)).toEqual(['systemd-run', '/usr/bin/node']);
  });

  it.each([service, oldService])(
    'and to nothing from a service, which would take the watchdog with it',
    async (cgroup) => {
      const { armed, started } = await arm({ cgroup, sameNetwork: true, systemdRun: refused });
      expect(armed).toEqual({
        kind: 'failed',
        reason: 'systemd-run did not set a timer: exit code 1: Failed to start transient timer unit: no',
      });
      expect(started).toHaveLength(1);
    },
  );

  it('a service that may not look at process 1 trusts it; anybody else does not', async () => {
    expect((await arm({ cgroup: service, sameNetwork: undefined })).armed).toMatchObject({
      name: 'k3s-doctor-undo-r1.timer',
    });
    expect((await arm({ cgroup: login, sameNetwork: undefined })).armed).toMatchObject({ name: 'watchdog' });
  });
});

describe('without systemd, or when it rules another network', () => {
  it.each([
    { cgroup: '0::/\n', sameNetwork: true, systemd: false },
    { cgroup: '0::/\n', sameNetwork: false },
  ])('a process of our own watches', async (place) => {
    expect(await arm(place)).toEqual({
      armed: { kind: 'armed', name: 'watchdog', deadlineMs: 120_000 },
      started: [[...program, 'undo', 'r1', '--unless-confirmed', '--after', '120', '--config', '/c.yaml']],
    });
  });

  it('nothing is armed when that cannot be started, or there is no program to start', async () => {
    const failing: Partial<Host> = { startDetached: async () => ({ kind: 'failed', reason: 'no memory' }) };
    expect((await arm({ cgroup: '0::/\n', sameNetwork: false }, failing)).armed).toEqual({
      kind: 'failed',
      reason: 'no watchdog could be started: no memory',
    });
    const { armed } = await arm({ cgroup: login, sameNetwork: true }, { locate: () => undefined });
    expect(armed).toEqual({ kind: 'failed', reason: 'there is no k3s-doctor to take the run back' });
  });
});

describe('disarming', () => {
  it('stops the timer, and says so when it could not', async () => {
    const stopped: string[] = [];
    const host = async (result: CommandResult) =>
      madeUpNode(
        {},
        {
          run: async ({ tool, args }) => {
            stopped.push([tool, ...args].join(' '));
            return result;
          },
        },
      );
    expect(await disarmSwitch(await host(done), 'k3s-doctor-undo-r1.timer')).toBeUndefined();
    expect(stopped).toEqual(['systemctl stop k3s-doctor-undo-r1.timer']);
    expect(await disarmSwitch(await host({ ...done, exitCode: 5 }), 'gone-off.timer')).toBeUndefined();
    expect(await disarmSwitch(await host({ kind: 'timeout', timeoutMs: 5000 }), 'a.timer')).toBe(
      'a.timer could not be stopped, and will do nothing: it did not end within 5 s and was killed',
    );
  });

  it('leaves a watchdog to end by itself', async () => {
    expect(await disarmSwitch(await madeUpNode({}), 'watchdog')).toBeUndefined();
  });
});

interface Place {
  readonly cgroup: string;
  readonly sameNetwork: boolean | undefined;
  readonly systemd?: boolean;
  readonly systemdRun?: CommandResult;
}

async function arm(
  { cgroup, sameNetwork, systemd = true, systemdRun = done }: Place,
  live: Partial<Host> = {},
  waitMs = 0,
) {
  const started: (readonly string[])[] = [];
  const host = await madeUpNode(
    {
      files: [{ path: '/proc/self/cgroup', text: cgroup }],
      directories: systemd ? [{ path: '/run/systemd/system', entries: [] }] : [],
    },
    {
      locate: () => program,
      sameNetworkAsInit: () => sameNetwork,
      run: async ({ tool, args }) => {
        started.push([tool, ...args]);
        return systemdRun;
      },
      startDetached: async (argv) => {
        started.push(argv);
        return { kind: 'written' };
      },
      ...live,
    },
  );
  const options = { runId: 'r1', selfArgs: ['--config', '/c.yaml'], waitMs };
  const armed = await armSwitch(host, defaultConfig(), options);
  return { armed, started };
}
