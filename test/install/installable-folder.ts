import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultConfig } from '../../src/config/config.ts';
import type { Site } from '../../src/engine/site.ts';
import type { Step } from '../../src/engine/step.ts';
import { bindStep } from '../../src/engine/steps/steps.ts';
import type { ShippedFile } from '../../src/install/units.ts';
import { liveNode } from '../engine/steps/live-node.ts';
import { fakeProgram, temporaryFolder } from '../host/temporary-folder.ts';

export interface InstallableFolder {
  readonly site: Site;
  /** What is shipped: two units and an example, below this folder. */
  readonly files: readonly ShippedFile[];
  path(name: string): string;
  write(name: string, text: string): void;
  /** What `systemctl is-enabled` and `is-active` say of a unit; `disabled` and `inactive` without. */
  setUnit(unit: string, said: { readonly enabled?: string; readonly active?: string }): void;
  /** Does the files' part of a plan. */
  perform(steps: readonly Step[]): Promise<void>;
}

/** A folder that stands for a machine, with or without systemd. */
export function installableFolder({ systemd = true } = {}): InstallableFolder {
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  const body = `
    if [ -e "${folder}/said/$1 $2" ]; then cat "${folder}/said/$1 $2"
    elif [ "$1" = is-active ]; then echo inactive
    else echo disabled; fi`;
  const { host, timeoutMs } = liveNode({
    commands: { systemctl: [fakeProgram(path('systemctl'), body)] },
  });
  const config = {
    ...defaultConfig(),
    paths: { ...defaultConfig().paths, state: path('state'), run: path('run') },
  };
  const site: Site = {
    config,
    selfArgs: [],
    host: {
      ...host,
      fileStatus: async (name) =>
        name === '/run/systemd/system'
          ? systemd
            ? { kind: 'other', what: 'a folder' }
            : { kind: 'absent' }
          : host.fileStatus(name),
    },
  };
  return {
    site,
    files: ['units/x.service', 'units/x.timer', 'etc/example.yaml'].map((name) => ({
      path: path(name),
      content: `new ${name}\n`,
    })),
    path,
    write,
    setUnit(unit, { enabled = 'disabled', active = 'inactive' }) {
      write(`said/is-enabled ${unit}`, `${enabled}\n`);
      write(`said/is-active ${unit}`, `${active}\n`);
    },
    async perform(steps) {
      for (const step of steps.filter(({ kind }) => kind === 'file-write')) {
        const probed = await bindStep(step).probe({ host, timeoutMs });
        if (probed.kind === 'needed') await probed.before.apply({ host, timeoutMs });
      }
    },
  };
}

/** A plan as short words: `+ NAME`, `- NAME`, or a command. */
export function outline(steps: readonly Step[], { path }: InstallableFolder): string[] {
  return steps.map((step) => {
    if (step.kind === 'command') return step.command.args.join(' ');
    if (step.kind !== 'file-write') return step.kind;
    return `${step.content === null ? '-' : '+'} ${step.path.slice(path('x').length - 1)}`;
  });
}

export function readRecord({ path }: InstallableFolder): unknown {
  const file = path('state/installed.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
