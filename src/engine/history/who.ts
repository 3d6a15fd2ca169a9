import type { Host } from '../../host/host.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Who runs this, for journal and history: `alice (sudo)`, the unit that started it
 * (`k3s-doctor.service`), or the user's name. As far as the environment tells: it is no proof.
 */
export async function describeCaller(host: Host, env: Environment): Promise<string> {
  const sudoer = clean(env['SUDO_USER']);
  if (sudoer !== undefined) return `${sudoer} (sudo)`;
  const unit = env['INVOCATION_ID'] === undefined ? undefined : await ownUnit(host);
  return unit ?? clean(env['USER']) ?? clean(env['LOGNAME']) ?? 'root';
}

/** A session of a person hangs below services, too, and ends in a scope. */
async function ownUnit(host: Host): Promise<string | undefined> {
  const file = await host.readFile('/proc/self/cgroup');
  const units = file.kind === 'read' ? (file.text.match(/[^/\n]+\.(service|scope)(?=[/\n]|$)/g) ?? []) : [];
  const last = units.at(-1);
  return last?.endsWith('.service') ? clean(last) : undefined;
}

/** One word that a terminal shows as it is. */
function clean(name: string | undefined): string | undefined {
  const printable = name?.replace(/[^\x21-\x7e\u00a1-\uffff]/g, '').slice(0, 64);
  return printable === '' ? undefined : printable;
}
