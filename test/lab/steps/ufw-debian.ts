import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { UfwRuleSpec, UfwRuleStep } from '../../../src/engine/step.ts';
import { startNode } from '../node/start-node.ts';
import { bootDebian, type Debian } from '../systemd/boot-debian.ts';
import type { Image } from '../systemd/prepare-image.ts';
import type { StepRequest } from './step-program.ts';

type Commands = StepRequest['commands'];

export interface UfwDebian extends Debian {
  /** Does a verb of a step there, in a process of its own. */
  step(verb: StepRequest['verb'], step: UfwRuleStep, commands?: Commands): Promise<StepOutcome>;
  /** UFW's files and what it has in the kernel: differs only if something was changed. */
  ufwState(): Promise<string>;
  tuples(): Promise<readonly string[]>;
}

export interface StepOutcome {
  readonly probed: 'done' | 'needed' | 'moved-on' | 'failed';
  readonly reason?: string;
  readonly written?: { readonly kind: string; readonly reason?: string };
  readonly verdict?: { readonly kind: string; readonly reason?: string };
  readonly missing?: readonly string[];
}

/** A Debian whose UFW is on, with a rule for SSH, one with a comment, and one about what is forwarded. */
export async function startUfwDebian(image: Image): Promise<UfwDebian> {
  const node = await startNode();
  const debian = await bootDebian(node, image).catch(async (error: unknown) => {
    await node.stop();
    throw error;
  });
  await debian.writeFile(program, await bundle());
  await debian.run(['sh', '-ec', foreignRules]);
  const stop = async () => {
    await debian.stop();
    await node.stop();
  };
  return {
    ...debian,
    async step(verb, step, commands = {}) {
      const request: StepRequest = { verb, step, commands, backup: '/run/lab/backup' };
      return JSON.parse(await debian.run(['/usr/local/bin/node', program, JSON.stringify(request)]));
    },
    ufwState: () => debian.run(['sh', '-ec', printState]),
    tuples: async () =>
      (await debian.run(['grep', '-h', '^### tuple', '/etc/ufw/user.rules', '/etc/ufw/user6.rules']))
        .trim()
        .split('\n'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const program = '/run/lab/step-program.mjs';

const foreignRules = `
ufw allow 22/tcp
ufw allow from 192.0.2.1 to any port 53 comment 'the office'
ufw route deny from 198.51.100.0/24
ufw --force enable
`;

/** Where it is killed while it tries what iptables can do, it leaves a chain that nothing leads to. */
const printState = `
cat /etc/ufw/user.rules /etc/ufw/user6.rules
for each in iptables ip6tables; do $each-save -t filter | grep -v '^#\\|ufw6\\?-caps-test' | sed 's/ \\[[0-9:]*\\]$//'; done
`;

export function ufwStep(change: UfwRuleStep['change'], rule: Partial<UfwRuleSpec> = {}): UfwRuleStep {
  return {
    kind: 'ufw-rule',
    change,
    rule: {
      ...{ route: true, action: 'allow', direction: 'in', protocol: 'any', port: undefined },
      ...{ source: '10.42.0.0/16', destination: 'any', comment: 'k3s-doctor: pods' },
      ...rule,
    },
  };
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./step-program.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outputFiles[0]?.text ?? '';
}
