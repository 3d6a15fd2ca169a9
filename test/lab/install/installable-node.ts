import { configure } from '../ghosts/run-doctor.ts';
import { type LabNode, startNode } from '../node/start-node.ts';

export interface InstallableNode extends LabNode {
  /** What systemctl was asked to change, such as `enable k3s-doctor.timer`, in order; forgotten afterwards. */
  changes(): Promise<readonly string[]>;
  /** What systemctl does at this call, such as `start k3s-doctor.timer`: shell, before and after its work. */
  at(call: string, what: { readonly before?: string; readonly after?: string }): Promise<void>;
  /** The units that systemd has read. */
  loaded(): Promise<readonly string[]>;
  /** A unit's state, as `is-active` prints it. */
  setActivity(unit: string, activity: string): Promise<void>;
  /** Every file, link and folder with owner, mode and content, but for the product's own state. */
  files(): Promise<string>;
  /** The same of everything. */
  allFiles(): Promise<string>;
}

/**
 * A node whose systemctl keeps to its word but starts nothing: what is enabled is a link below /etc,
 * as with the real one, what is active a file below /run/lab.
 */
export async function startInstallableNode(): Promise<InstallableNode> {
  const node = await startNode();
  await node.writeFile('/run/lab/systemctl', systemctl, '755');
  await node.run(['mkdir', '-p', '/run/systemd/system', '/run/lab/activity', '/run/lab/at']);
  await configure(node, { commands: { systemctl: '/run/lab/systemctl' } });
  const list = (besides: string) => node.run(['sh', '-ec', listing, besides]);
  return {
    ...node,
    async changes() {
      const text = await node.run(['sh', '-c', 'cat /run/lab/changes; rm -f /run/lab/changes']);
      return text.split('\n').filter((line) => line !== '');
    },
    async at(call, { before = ':', after = ':' }) {
      await node.writeFile(`/run/lab/at/${call}.before`, `${before}\n`);
      await node.writeFile(`/run/lab/at/${call}.after`, `${after}\n`);
    },
    loaded: async () => (await node.run(['sort', '/run/lab/loaded'])).split('\n').slice(0, -1),
    setActivity: (unit, activity) => node.writeFile(`/run/lab/activity/${unit}`, `${activity}\n`),
    files: () => list('k3s-doctor'),
    allFiles: () => list('none'),
  };
}

const systemctl = `#!/bin/sh
verb=$1
for unit; do :; done
[ "$unit" != "$verb" ] || unit=
call="$verb\${unit:+ $unit}"
links=/etc/systemd/system/timers.target.wants
activity=$(cat "/run/lab/activity/$unit" 2>/dev/null || echo inactive)
case $verb in
  is-enabled) [ -L "$links/$unit" ] && echo enabled || { echo disabled; exit 1; }; exit;;
  is-active) echo "$activity"; [ "$activity" = active ]; exit;;
  is-failed) echo "$activity"; [ "$activity" = failed ]; exit;;
esac
echo "$call" >>/run/lab/changes
[ ! -e "/run/lab/at/$call.before" ] || . "/run/lab/at/$call.before"
case $verb in
  daemon-reload) ls /etc/systemd/system | grep ^k3s- >/run/lab/loaded;;
  enable) mkdir -p $links; ln -sf "/etc/systemd/system/$unit" "$links/$unit";;
  disable) rm -f "$links/$unit"; rmdir $links 2>/dev/null;;
  start) echo active >"/run/lab/activity/$unit";;
  stop|reset-failed) rm -f "/run/lab/activity/$unit";;
esac
[ ! -e "/run/lab/at/$call.after" ] || . "/run/lab/at/$call.after"
exit 0
`;

const listing = `
places="/etc /var/lib /usr/local /run/k3s-doctor"
find $places ! -path "/var/lib/$0*" ! -path "/run/$0*" -printf '%y %m %U:%G %p %l\\n' 2>/dev/null | sort
find /etc/systemd /etc/k3s-doctor -type f -exec sha256sum {} + 2>/dev/null | sort || :
`;
