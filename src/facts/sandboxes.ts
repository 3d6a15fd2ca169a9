import type { Fact, FactContext } from '../engine/fact.ts';
import type { CommandResult } from '../host/host.ts';
import { parseCrictlPods } from '../kube/sandboxes.ts';
import { tableReadingsFact } from './table-readings.ts';

/**
 * Which pod sandboxes exist on this node, by id: the only ones who may have host ports.
 * `not-needed`: no chain of any sandbox is in any table.
 */
export type Sandboxes =
  | {
      readonly kind: 'known';
      readonly ready: ReadonlyMap<string, Pod>;
      readonly notReady: ReadonlyMap<string, Pod>;
      /** Sandboxes that still hold an address (being set up, or not yet torn down), and the file that says so. */
      readonly reserved: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'not-needed' };

/**
 * What a sandbox's host ports are worth. `held`: it does not run, but still holds an address: being
 * set up or torn down.
 */
export function sandboxState(sandboxes: Sandboxes, id: string): 'live' | 'held' | 'dead' | 'unknown' {
  if (sandboxes.kind !== 'known') return 'unknown';
  if (sandboxes.ready.has(id)) return 'live';
  return sandboxes.reserved.has(id) ? 'held' : 'dead';
}

export interface Pod {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Asked after the rules were read: a chain in the dump is then older than the answer. A sandbox
 * that is being created is not listed yet, but holds its address already (host-local IPAM writes
 * the reservation before portmap writes rules).
 */
export const sandboxesFact: Fact<Sandboxes> = {
  id: 'sandboxes',
  async gather(context) {
    const tables = await context.get(tableReadingsFact);
    if (tables.every(({ reading }) => reading.hostPorts.length === 0)) return { kind: 'not-needed' };
    const networks = await context.get(cniNetworksFact);
    const [result, reserved] = await Promise.all([listPods(context), readReservations(context, networks)]);
    if (result.kind !== 'exited') return { kind: 'unavailable', reason: whyNoAnswer(result) };
    if (result.exitCode !== 0) {
      const said = result.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
      return { kind: 'unavailable', reason: `crictl failed with exit code ${result.exitCode}: ${said}` };
    }
    const pods = parseCrictlPods(result.stdout);
    if (typeof reserved === 'string') return { kind: 'unavailable', reason: reserved };
    if (pods.kind !== 'parsed')
      return { kind: 'unavailable', reason: `crictl's answer cannot be read: ${pods.reason}` };
    return { kind: 'known', ready: pods.ready, notReady: pods.notReady, reserved };
  },
};

/** The names of the CNI networks that are k3s' own. */
export const cniNetworksFact: Fact<readonly string[]> = {
  id: 'cni-networks',
  async gather({ host, config }) {
    const configured = config.checks['iptables-ghosts'].networks;
    if (configured) return configured;
    const conflist = await host.readFile(`${config.paths.k3sData}/agent/etc/cni/net.d/10-flannel.conflist`);
    const name = conflist.kind === 'read' ? /"name"\s*:\s*"([^"]+)"/.exec(conflist.text)?.[1] : undefined;
    return [name ?? 'cbr0'];
  },
};

/**
 * A crictl without configuration asks the first runtime it finds. On a host that also runs Docker
 * that is the wrong containerd, which knows none of k3s' pods; so k3s' own socket is named, unless the configuration says how to ask.
 */
async function listPods({ host, config }: FactContext): Promise<CommandResult> {
  const isConfigured = config.commands.crictl !== undefined;
  const folder = `${config.paths.k3sRun}/containerd`;
  const entries = await host.listDirectory(folder);
  const isK3s = entries?.some(({ name }) => name === 'containerd.sock') ?? false;
  const endpoint = isK3s && !isConfigured ? ['--runtime-endpoint', `unix://${folder}/containerd.sock`] : [];
  return host.run({
    tool: 'crictl',
    args: [...endpoint, 'pods', '-o', 'json'],
    timeoutMs: config.commandTimeoutMs,
  });
}

/** The reservation of each sandbox; a line for a person when one cannot be read. */
async function readReservations(
  { host, config }: FactContext,
  networks: readonly string[],
): Promise<Map<string, string> | string> {
  const files = new Map<string, string>();
  for (const network of networks) {
    const folder = `${config.paths.ipam}/${network}`;
    for (const { name } of (await host.listDirectory(folder)) ?? []) {
      if (!/^[0-9a-fA-F.:]+$/.test(name)) continue;
      const file = await host.readFile(`${folder}/${name}`);
      if (file.kind === 'unreadable') return `reservation ${folder}/${name} cannot be read: ${file.reason}`;
      const id = file.kind === 'read' ? file.text.split(/\r?\n/)[0]?.trim() : undefined;
      if (id) files.set(id, `${folder}/${name}`);
    }
  }
  return files;
}

function whyNoAnswer(result: Exclude<CommandResult, { kind: 'exited' }>): string {
  switch (result.kind) {
    case 'timeout':
      return `crictl did not answer within ${result.timeoutMs / 1000} s`;
    case 'absent':
      return `there is no crictl (looked for ${result.looked.join(', ')})`;
    case 'failed-to-start':
      return `crictl could not be run: ${result.reason}`;
  }
}
