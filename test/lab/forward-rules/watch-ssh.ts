import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Debian } from '../systemd/boot-debian.ts';

const outcome = z.object({ tried: z.number(), failed: z.number(), slowestMs: z.number() });

/** A server on port 22 of the node, and somebody outside who connects to it every 50 ms, all the while. */
export async function watchSsh(node: Debian): Promise<() => Promise<z.infer<typeof outcome>>> {
  const client = await node.addClient();
  const server = node.outside.start([process.execPath, program('../node/serve-pod.ts'), 'sshd', '22', '']);
  await server.waitForLine('serving');
  const poll = client.start([process.execPath, program('./poll-ssh.ts'), node.address, '22']);
  await poll.waitForLine('polling');
  return async () => {
    poll.closeInput();
    const { stdout } = await poll.ended;
    await server.stop();
    return outcome.parse(JSON.parse(stdout.split('\n').at(-2) ?? ''));
  };
}

function program(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
