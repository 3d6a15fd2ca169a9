import type { Fact } from '../../engine/fact.ts';
import type { Host } from '../../host/host.ts';
import { k3sOptionsFact } from './k3s-options.ts';

/** What of CoreDNS lies on this machine's disk, where a k3s server puts it back at each of its starts. */
export interface Packaged {
  /** Whether this node runs a k3s server: its folder of manifests is there. */
  readonly isServer: boolean;
  /** The folder: `/var/lib/rancher/k3s/server/manifests`. */
  readonly folder: string;
  /** `coredns.yaml` there, as k3s wrote it; undefined: not there, or it cannot be read. */
  readonly manifest: string | undefined;
  /** The Corefile in it, as k3s would apply it. */
  readonly corefile: string | undefined;
  /** `coredns.yaml.skip` is there: k3s leaves the manifest alone. */
  readonly isSkipped: boolean;
  /** Our own manifest in its place, by its content; null: there is none. */
  readonly ownManifest: string | null;
  /** What k3s' `resolv-conf` points to if we have set it, and the file that sets it; null: not there. */
  readonly ownResolvConf: string | null;
  readonly ownDropIn: string | null;
  /** CoreDNS was switched off (`--disable=coredns`): what runs is somebody's own. */
  readonly isDisabled: boolean;
}

/** Beside k3s' own. Its first word up to the dot is the name of its AddOn. */
export const ownManifestName = 'coredns-k3s-doctor.yaml';
export const ownResolvConfPath = '/etc/rancher/k3s/k3s-doctor-resolv.conf';
export const ownDropInPath = '/etc/rancher/k3s/config.yaml.d/50-k3s-doctor.yaml';

export const packagedFact: Fact<Packaged> = {
  id: 'packaged-coredns',
  async gather({ host, config, get }) {
    const folder = `${config.paths.k3sData}/server/manifests`;
    const [entries, manifest, ownManifest, ownResolvConf, ownDropIn, options] = await Promise.all([
      host.listDirectory(folder),
      readText(host, `${folder}/coredns.yaml`),
      readText(host, `${folder}/${ownManifestName}`),
      readText(host, ownResolvConfPath),
      readText(host, ownDropInPath),
      get(k3sOptionsFact),
    ]);
    return {
      isServer: entries !== undefined,
      folder,
      manifest: manifest ?? undefined,
      corefile: manifest === null ? undefined : (findPlain(manifest) ?? (await findCorefile(manifest))),
      isSkipped: entries?.some(({ name }) => name === 'coredns.yaml.skip') ?? false,
      ownManifest,
      ownResolvConf,
      ownDropIn,
      isDisabled: options.kind === 'known' && options.disabled.includes('coredns'),
    };
  },
};

async function readText(host: Host, path: string): Promise<string | null> {
  const file = await host.readFile(path);
  return file.kind === 'read' ? file.text : null;
}

/** In the shape in which k3s writes it, for which no parser has to be loaded. */
function findPlain(manifest: string): string | undefined {
  if (!manifest.endsWith('\n') || /^---./m.test(manifest)) return undefined;
  const map = manifest
    .split(/^---\n/m)
    .find((document) => /^kind: ConfigMap$/m.test(document) && /^ {2}name: coredns$/m.test(document));
  const block = /^data:\n {2}Corefile: \|\n( {4}\S.*\n(?: {4}.*\n|\n)*)/m.exec(map ?? '')?.[1];
  return block?.replace(/^ {4}/gm, '').replace(/\n+$/, '\n');
}

/** In ConfigMap `coredns`, one of several documents; undefined where the text is no such YAML. */
async function findCorefile(manifest: string): Promise<string | undefined> {
  const { parseAllDocuments } = await import('yaml');
  const parsed = parseAllDocuments(manifest, { prettyErrors: false, logLevel: 'error' });
  for (const document of 'empty' in parsed ? [] : parsed) {
    if (document.errors.length > 0) return undefined;
    const is = (path: readonly string[], text: string) => document.getIn(path) === text;
    const corefile: unknown = document.getIn(['data', 'Corefile']);
    if (is(['kind'], 'ConfigMap') && is(['metadata', 'name'], 'coredns') && typeof corefile === 'string') {
      return corefile;
    }
  }
  return undefined;
}
