import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Backend, Family } from '../node/ruleset-text.ts';
import type { LabNode } from '../node/start-node.ts';
import { configure } from './run-doctor.ts';

const hostSchema = z.object({
  commands: z.array(
    z.object({ tool: z.string(), args: z.array(z.string()).default([]), stdout: z.string().optional() }),
  ),
  processes: z.array(z.object({ name: z.string(), args: z.array(z.string()) })).default([]),
});

export interface FixtureOptions {
  /** The backend whose tables are registered first; the other one wins. Default `legacy`. */
  readonly first?: Backend;
}

/** Loads a recorded host into the real kernel, starts its processes and lets crictl answer as it did. */
export async function restoreFixture(node: LabNode, name: string, { first = 'legacy' }: FixtureOptions = {}) {
  const read = (file: string) =>
    readFile(new URL(`../../../fixtures/${name}/${file}`, import.meta.url), 'utf8');
  const { commands, processes } = hostSchema.parse(JSON.parse(await read('host.json')));
  const recorded = async (tool: string) => {
    const command = commands.find((candidate) => candidate.tool === tool);
    return command?.stdout === undefined ? '' : read(command.stdout);
  };
  for (const backend of first === 'legacy' ? (['legacy', 'nft'] as const) : (['nft', 'legacy'] as const)) {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const dump = await recorded(saveTool(backend, family));
      if (dump !== '') await node.restore(backend, family, loadable(dump));
    }
  }
  for (const { args } of commands.filter(({ tool }) => tool === 'nft')) await addNativeChain(node, args);
  for (const { name: process, args } of processes) await node.fakeProcess(process, args.slice(1));
  const pods = await recorded('crictl');
  if (pods === '') return configure(node, { commands: { crictl: await node.fakeCrictl([]) } });
  await node.writeFile('/run/lab/crictl', `#!/bin/sh\ncat <<'END'\n${pods}\nEND\n`, '755');
  await configure(node, { commands: { crictl: '/run/lab/crictl' } });
}

/** kube-proxy's nftables mode is told by a chain: `list chain ip kube-proxy services`. */
async function addNativeChain(node: LabNode, [verb, kind, ...chain]: readonly string[]): Promise<void> {
  if (verb !== 'list' || kind !== 'chain') return;
  await node.run(['nft', 'add', 'table', ...chain.slice(0, 2)]);
  await node.run(['nft', 'add', 'chain', ...chain]);
}

function saveTool(backend: Backend, family: Family): string {
  return `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-save`;
}

/**
 * Two matches refer to objects that no tool of the lab can make: the packet accounts of kube-proxy
 * 1.31 and later, and the address sets of kube-router. The rules are loaded without them.
 */
function loadable(dump: string): string {
  return dump.replace(/ -m nfacct --nfacct-name +\S+| -m set (! )?--match-set \S+ \S+/g, '');
}
