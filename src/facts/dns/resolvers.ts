import type { Fact, FactContext } from '../../engine/fact.ts';
import type { Host } from '../../host/host.ts';
import { k3sOptionsFact } from './k3s-options.ts';
import { type Leased, readLeases } from './leases.ts';
import { isFitFile, type ResolvConf, readResolvConf } from './resolv-conf.ts';

/** Which servers this machine, and k3s for its pods, are told to ask. */
export interface Resolvers {
  /** /etc/resolv.conf */
  readonly host: ResolvConf;
  /** /run/systemd/resolve/resolv.conf: what systemd-resolved asks in turn. */
  readonly resolved: ResolvConf;
  /**
   * The file that kubelet gives to pods with `dnsPolicy: Default`, as k3s chooses it at its start (its option
   * `resolv-conf`, else the first fit file of the host, else one of its own with 8.8.8.8).
   */
  readonly kubelet:
    | {
        readonly kind: 'known';
        readonly by: 'option' | 'host' | 'fallback';
        /** Where the option is set, for `option`. */
        readonly from: string | undefined;
        readonly conf: ResolvConf;
      }
    | { readonly kind: 'unknown'; readonly reason: string };
  /** Servers that the network gave this host (DHCP leases), with the file that says so. */
  readonly leased: readonly Leased[];
}

export const resolversFact: Fact<Resolvers> = {
  id: 'resolvers',
  async gather(context) {
    const [host, resolved, leased] = await Promise.all([
      readResolvConf(context.host, '/etc/resolv.conf'),
      readResolvConf(context.host, '/run/systemd/resolve/resolv.conf'),
      readLeases(context.host),
    ]);
    return { host, resolved, kubelet: await readKubelet(context, [host, resolved]), leased };
  },
};

async function readKubelet(
  context: FactContext,
  ofHost: readonly ResolvConf[],
): Promise<Resolvers['kubelet']> {
  const { host, config } = context;
  const generated = `${config.paths.k3sData}/agent/etc/resolv.conf`;
  const [options, running] = await Promise.all([
    context.get(k3sOptionsFact),
    readKubeletConfig(host, `${config.paths.k3sData}/agent/etc/kubelet.conf.d`),
  ]);
  const told = options.kind === 'known' ? options.resolvConf : undefined;
  if (running !== undefined) {
    const conf = await readResolvConf(host, running.value);
    const isOurs = running.isOfK3s;
    if (isOurs && running.value === generated) return known('fallback', conf);
    if (isOurs && told?.value !== running.value && ofHost.some(({ path }) => path === running.value)) {
      return known('host', conf);
    }
    return known('option', conf, told?.value === running.value ? told.from : running.from);
  }
  if (options.kind === 'unknown') return options;
  if (told !== undefined) return known('option', await readResolvConf(host, told.value), told.from);
  const fit = ofHost.find(isFitFile);
  if (fit !== undefined) return known('host', fit);
  const fallback = await readResolvConf(host, generated);
  // k3s leaves a file behind where it had to make one.
  if ([...ofHost, fallback].every(({ kind }) => kind === 'absent')) {
    return { kind: 'unknown', reason: 'this host has no resolv.conf, and k3s has made none' };
  }
  return known('fallback', fallback);
}

function known(by: 'option' | 'host' | 'fallback', conf: ResolvConf, from?: string): Resolvers['kubelet'] {
  return { kind: 'known', by, from, conf };
}

/**
 * Since 1.32 k3s writes what it chose at its start for its kubelet to read; a file of the operator's beside
 * it, later by its name, has the last word.
 */
async function readKubeletConfig(host: Host, folder: string) {
  const entries = (await host.listDirectory(folder)) ?? [];
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith('.conf'));
  const files = await Promise.all(
    names.sort().map(async (name) => ({ name, file: await host.readFile(`${folder}/${name}`) })),
  );
  return files
    .flatMap(({ name, file }) => {
      const text = file.kind === 'read' ? file.text : '';
      const value = /^"?resolvConf"?:[ \t]*["']?([^"'\s#]+)/m.exec(text)?.[1];
      const from = `${folder}/${name}`;
      return value === undefined ? [] : [{ value, from, isOfK3s: name === '00-k3s-defaults.conf' }];
    })
    .at(-1);
}
