import type { Debian } from './boot-debian.ts';

/** Puts the units in place that npm has brought. */
export async function installUnits(debian: Debian): Promise<void> {
  await debian.run(['sh', '-c', `cp /usr/local/lib/node_modules/k3s-doctor/units/* ${unitFolder}`]);
  await reload(debian);
}

/** Adds a drop-in to a unit, as an administrator would; a second one takes the place of the first. */
export async function dropIn(debian: Debian, unit: string, text: string): Promise<void> {
  await debian.writeFile(`${unitFolder}/${unit}.d/lab.conf`, text);
  await reload(debian);
}

/** Where units of the machine's administrator are. */
const unitFolder = '/etc/systemd/system';

async function reload(debian: Debian): Promise<void> {
  await debian.run(['systemctl', 'daemon-reload']);
}
