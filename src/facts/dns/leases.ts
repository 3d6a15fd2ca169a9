import type { Host } from '../../host/host.ts';
import { isServerAddress, parseResolvConf } from './resolv-conf.ts';

/** A server that the network gave this host, with the file that says so. */
export interface Leased {
  readonly address: string;
  readonly file: string;
}

interface Place {
  readonly folder: string;
  readonly name: RegExp;
  readonly read: (text: string) => readonly string[];
}

/** Where what configures links keeps what it was given: networkd, netplan, dhclient, NetworkManager. */
const places: readonly Place[] = [
  { folder: '/run/systemd/netif/leases', name: /^\d+$/, read: readAssignments },
  { folder: '/run/systemd/network', name: /\.network$/, read: readAssignments },
  { folder: '/etc/systemd/network', name: /\.network$/, read: readAssignments },
  { folder: '/var/lib/dhcp', name: /\.leases$/, read: readDhclient },
  { folder: '/var/lib/NetworkManager', name: /\.leases?$/, read: readEither },
  { folder: '/run/NetworkManager', name: /^no-stub-resolv\.conf$/, read: readNameservers },
];

export async function readLeases(host: Host): Promise<readonly Leased[]> {
  const found = await Promise.all(places.map((place) => readPlace(host, place)));
  const unlike = new Map<string, Leased>();
  for (const leased of found.flat()) if (!unlike.has(leased.address)) unlike.set(leased.address, leased);
  return [...unlike.values()];
}

async function readPlace(host: Host, { folder, name, read }: Place): Promise<readonly Leased[]> {
  const entries = (await host.listDirectory(folder)) ?? [];
  const paths = entries.filter((entry) => name.test(entry.name)).map((entry) => `${folder}/${entry.name}`);
  const found = await Promise.all(
    paths.slice(0, mostFiles).map(async (path) => {
      const file = await host.readFile(path);
      const addresses = file.kind === 'read' ? read(file.text) : [];
      return addresses.filter(isServerAddress).map((address) => ({ address, file: path }));
    }),
  );
  return found.flat();
}

const mostFiles = 50;

/** `DNS=192.0.2.1 192.0.2.2`, perhaps with a port or a name that its certificate has (`192.0.2.1#dns.example`). */
function readAssignments(text: string): readonly string[] {
  return [...text.matchAll(/^DNS=(.*)$/gm)]
    .flatMap(([, list = '']) => list.trim().split(/\s+/))
    .map((server) => server.replace(/#.*$/, ''));
}

/** The file only grows: the last lease is the one that holds. */
function readDhclient(text: string): readonly string[] {
  const last = text.split(/^lease6? \{/m).at(-1) ?? '';
  return [...last.matchAll(/^\s*option (?:domain-name-servers|dhcp6\.name-servers) ([^;]+);/gm)].flatMap(
    ([, list = '']) => list.split(',').map((server) => server.trim()),
  );
}

function readEither(text: string): readonly string[] {
  return [...readAssignments(text), ...readDhclient(text)];
}

function readNameservers(text: string): readonly string[] {
  const conf = parseResolvConf('', { kind: 'read', text });
  return conf.kind === 'read' ? conf.nameservers : [];
}
