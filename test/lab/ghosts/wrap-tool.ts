import { type Tool, tools } from '../../../src/host/tools.ts';
import { doctorCommand, type LabNode } from '../node/start-node.ts';

/**
 * Puts a shell script in the place of a tool, and returns its path for `commands` in the
 * configuration. In the script, `real "$@"` runs the tool that it stands for.
 */
export async function wrapTool(node: LabNode, tool: Tool, script: string): Promise<string> {
  const path = `/run/lab/wrap/${tool}`;
  // The product itself is on no PATH: it is run from its sources.
  const real = tool === 'k3s-doctor' ? doctorCommand.join(' ') : `command ${tool}`;
  await node.writeFile(path, `#!/bin/sh\nreal() { ${real} "$@"; }\n${script}\n`, '755');
  return path;
}

/** Wraps every tool so that each call is noted, and returns them for `commands`, and the notes so far. */
export async function noteCalls(node: LabNode, crictl: string) {
  const entries = await Promise.all(
    tools.map(async (tool) => {
      const real = tool === 'crictl' ? `exec ${crictl}` : 'real';
      return [tool, await wrapTool(node, tool, `echo "${tool} $*" >>/run/lab/calls\n${real} "$@"`)];
    }),
  );
  await node.writeFile('/run/lab/calls', '', '666');
  return {
    commands: Object.fromEntries(entries),
    calls: async () => (await node.readFile('/run/lab/calls')).split('\n').filter((line) => line !== ''),
    forget: () => node.writeFile('/run/lab/calls', '', '666'),
  };
}
