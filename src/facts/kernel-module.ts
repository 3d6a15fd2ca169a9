import type { Host } from '../host/host.ts';

/**
 * Whether the kernel has a module now, loaded or built in. Many a program loads what it needs just to
 * look, so it may not be run before this is known. Where it cannot be told, it is taken to be there.
 */
export async function hasKernelModule(host: Host, name: string): Promise<boolean> {
  const modules = await host.readFile('/proc/modules');
  if (modules.kind !== 'read' || modules.text === '') return true;
  if (modules.text.split('\n').some((line) => line.startsWith(`${name} `))) return true;
  const release = await host.readFile('/proc/sys/kernel/osrelease');
  if (release.kind !== 'read') return true;
  const builtIn = await host.readFile(`/lib/modules/${release.text.trim()}/modules.builtin`);
  return builtIn.kind !== 'read' || builtIn.text.includes(`/${name}.ko`);
}
