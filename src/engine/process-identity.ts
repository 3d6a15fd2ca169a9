import type { Host } from '../host/host.ts';

/** When a process was started, in clock ticks since boot; undefined when there is no such process. */
export async function processStart(host: Host, pid: number | 'self'): Promise<string | undefined> {
  const stat = await host.readFile(`/proc/${pid}/stat`);
  if (stat.kind !== 'read') return undefined;
  // The name, in brackets, may hold anything; the time is the 20th field behind it.
  return stat.text.slice(stat.text.lastIndexOf(')') + 2).split(' ')[19];
}

/** The kernel's name for this boot; empty when it cannot be read. */
export async function readBootId(host: Host): Promise<string> {
  const file = await host.readFile('/proc/sys/kernel/random/boot_id');
  return file.kind === 'read' ? file.text.trim() : '';
}

/** Whether the kernel's rules are others than they were in that boot; where it cannot be told, they are not. */
export async function hasRebootedSince(host: Host, bootId: string): Promise<boolean> {
  return bootId !== '' && ![bootId, ''].includes(await readBootId(host));
}
