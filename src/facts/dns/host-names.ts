import type { Fact, FactContext } from '../../engine/fact.ts';
import { oneLine } from '../../engine/one-line.ts';
import { k3sOptionsFact } from './k3s-options.ts';
import { presenceFact } from './presence.ts';
import { type Registries, readRegistries } from './registries.ts';

/** A name that this host has to resolve by itself, with its own resolver (nsswitch, search list and all). */
export interface HostName {
  readonly name: string;
  /** Who needs it: `images come from there`, `the API is there`. */
  readonly why: string;
  readonly kind: 'api' | 'registry' | 'configured';
  readonly answer:
    | { readonly kind: 'resolved'; readonly addresses: readonly string[] }
    | { readonly kind: 'unresolved'; readonly reason: string }
    /** There is nothing to ask with. */
    | { readonly kind: 'not-asked'; readonly reason: string };
}

export interface HostNames {
  readonly names: readonly HostName[];
  /** What could not be read, and may name more; a line each. */
  readonly doubts: readonly string[];
  /** What is not asked for, and why; a line each. */
  readonly notes: readonly string[];
}

/** The registries that images are pulled from, the API's names, and those of `checks.host-dns.names`. */
export const hostNamesFact: Fact<HostNames> = {
  id: 'host-names',
  async gather(context) {
    const presence = await context.get(presenceFact);
    if (presence.kind === 'absent') return { names: [], doubts: [], notes: [] };
    const { wanted, doubts, notes } = await findNames(context);
    const names = await Promise.all(
      wanted.map(async (each) => ({ ...each, answer: await resolve(context, each) })),
    );
    return { names, doubts, notes };
  },
};

type Wanted = Omit<HostName, 'answer'>;

async function findNames(context: FactContext) {
  const [options, registries, images] = await Promise.all([
    context.get(k3sOptionsFact),
    readRegistries(context.host),
    listImages(context),
  ]);
  const api = options.kind === 'known' ? options.server : undefined;
  const own = options.kind === 'known' ? options.systemDefaultRegistry : undefined;
  const found = [
    ...(api === undefined ? [] : [named('api', api.value, `the API is there (${api.from})`)]),
    ...registryNames(registries, own?.value),
    ...(images.length > 0 ? [] : defaultRegistry(registries, own?.value)),
    ...context.config.checks['host-dns'].names.map((name) =>
      named('configured', name, 'checks.host-dns.names of the configuration'),
    ),
  ].flatMap((each) => each ?? []);
  const unlike = found.filter(({ name }, index) => index === found.findIndex((each) => each.name === name));
  const isIn = images.length > 0;
  return {
    wanted: unlike.slice(0, mostNames),
    doubts: [...(options.kind === 'unknown' ? [options.reason] : []), ...registries.doubts],
    notes: [
      ...(isIn ? [`images are on this node (${images[0]}): ${docker} is not asked for`] : []),
      ...(unlike.length > mostNames ? [`of ${unlike.length} names ${mostNames} are asked for`] : []),
    ],
  };
}

const mostNames = 50;
const docker = 'registry-1.docker.io';

/** Where images are put for nodes that reach no registry. */
async function listImages({ host, config }: FactContext): Promise<readonly string[]> {
  const folder = `${config.paths.k3sData}/agent/images`;
  const entries = (await host.listDirectory(folder)) ?? [];
  const archives = entries.filter(({ name }) => /\.(tar|tgz|tbz2?|tar\.(gz|bz2|lz4|zst))$/.test(name));
  return archives.map(({ name }) => `${folder}/${oneLine(name)}`).sort();
}

/** Those that somebody has named. */
function registryNames({ mirrors }: Registries, own: string | undefined): readonly (Wanted | undefined)[] {
  const mirrored = mirrors.flatMap(({ registry, endpoints }) =>
    endpoints.map((endpoint) =>
      named('registry', endpoint, `images of ${oneLine(registry)} come from there`),
    ),
  );
  // Without an endpoint it is shared between the nodes, and comes from itself at first.
  const shared = mirrors
    .filter(({ registry, endpoints }) => endpoints.length === 0 && registry !== '*')
    .map(({ registry }) => named('registry', atHome(registry), 'images come from there'));
  const isMirrored = own !== undefined && isElsewhere(mirrors, hostOf(own) ?? own);
  const system =
    own === undefined || isMirrored ? [] : [named('registry', own, 'images of k3s come from there')];
  return [...mirrored, ...shared, ...system];
}

function defaultRegistry({ mirrors }: Registries, own: string | undefined): readonly (Wanted | undefined)[] {
  const isNamed = own !== undefined && atHome(own) !== docker;
  if (isNamed || isElsewhere(mirrors, 'docker.io')) return [];
  return [named('registry', docker, 'images come from there')];
}

function isElsewhere(mirrors: Registries['mirrors'], registry: string): boolean {
  return mirrors.some((mirror) => mirror.endpoints.length > 0 && [registry, '*'].includes(mirror.registry));
}

function atHome(registry: string): string {
  return /^(index\.)?docker\.io$/.test(registry) ? docker : registry;
}

/** An address needs no resolver, and what is no name has none. */
function named(kind: HostName['kind'], where: string, why: string): Wanted | undefined {
  const name = hostOf(where);
  return name === undefined ? undefined : { name, why, kind };
}

function hostOf(where: string): string | undefined {
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(where) ? where : `https://${where}`;
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : '';
  const isName = /^(?!-)[\w-]{1,63}(\.(?!-)[\w-]{1,63})*$/.test(host) && host.length <= 253;
  const isAddress = /^\d+(\.\d+){3}$/.test(host);
  return isName && !isAddress && host !== 'localhost' ? host : undefined;
}

const timeoutMs = 5_000;

/** As programs on this host do. */
async function resolve({ host }: FactContext, { name }: Wanted): Promise<HostName['answer']> {
  const result = await host.run({ tool: 'getent', args: ['ahosts', name], timeoutMs });
  switch (result.kind) {
    case 'absent':
      return { kind: 'not-asked', reason: 'there is no program getent on this machine' };
    case 'failed-to-start':
      return { kind: 'not-asked', reason: `getent could not be run: ${result.reason}` };
    case 'timeout':
      return { kind: 'unresolved', reason: `no answer in ${timeoutMs / 1000} s` };
    default: {
      if (result.exitCode === 2) return { kind: 'unresolved', reason: 'no such name, or no server answers' };
      const addresses = [
        ...new Set([...result.stdout.matchAll(/^([\da-fA-F.:]+)\s/gm)].map(([, each = '']) => each)),
      ];
      if (result.exitCode !== 0) return { kind: 'not-asked', reason: `getent ended with ${result.exitCode}` };
      if (addresses.length === 0) return { kind: 'unresolved', reason: 'it has no address' };
      return { kind: 'resolved', addresses };
    }
  }
}
