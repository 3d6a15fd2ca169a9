import { DoctorError } from '../doctor-error.ts';
import type { Fact, FactContext } from '../engine/fact.ts';
import { nfTablesLoadedFact } from './nf-tables.ts';

/** Which parts of Kubernetes run on this node, as far as processes and devices show it. */
export interface KubeComponents {
  /** A process that contains a kubelet: k3s, rke2 or kubelet itself. */
  readonly kubelet: boolean;
  /** A kube-proxy of its own, outside k3s: it may use another backend than kubelet. */
  readonly separateKubeProxy: boolean;
  /** A network policy controller of its own, outside k3s. */
  readonly separateKubeRouter: boolean;
  /** kube-proxy was switched off on k3s' command line. */
  readonly kubeProxyDisabled: boolean;
  /** kube-ipvs0 exists: kube-proxy runs, or ran, in ipvs mode. */
  readonly ipvsDevice: boolean;
  readonly ciliumDevice: boolean;
  /** Native nft tables of kube-proxy's nftables mode exist. */
  readonly kubeProxyNftTable: boolean;
}

export const kubeComponentsFact: Fact<KubeComponents> = {
  id: 'kube-components',
  async gather(context) {
    const [processes, devices, kubeProxyNftTable] = await Promise.all([
      context.host.listProcesses(),
      context.host.readFile('/proc/net/dev'),
      hasKubeProxyTable(context),
    ]);
    const named = (names: RegExp) => processes.filter(({ name }) => names.test(name));
    const kubelets = named(/^(k3s|k3s-server|k3s-agent|rke2|rke2-server|rke2-agent|kubelet)$/);
    const device = (name: string) =>
      devices.kind === 'read' && new RegExp(`^ *${name}:`, 'm').test(devices.text);
    return {
      kubelet: kubelets.length > 0,
      separateKubeProxy: named(/^kube-proxy$/).length > 0,
      separateKubeRouter: named(/^kube-router$/).length > 0,
      kubeProxyDisabled: kubelets.some(({ args }) =>
        args.some((arg) => /^--disable-kube-proxy(=true)?$/.test(arg)),
      ),
      ipvsDevice: device('kube-ipvs0'),
      ciliumDevice: device('cilium_host'),
      kubeProxyNftTable,
    };
  },
};

/**
 * Asked for by one chain: to list tables, nft 1.0.6 reads every rule there is, which takes a minute
 * with 20,000 Services; one chain takes milliseconds whatever else is there.
 */
async function hasKubeProxyTable(context: FactContext): Promise<boolean> {
  if (!(await context.get(nfTablesLoadedFact))) return false;
  const found = await Promise.all(['ip', 'ip6'].map((family) => hasServicesChain(context, family)));
  return found.includes(true);
}

async function hasServicesChain({ host, config }: FactContext, family: string): Promise<boolean> {
  const args = ['list', 'chain', family, 'kube-proxy', 'services'];
  const result = await host.run({ tool: 'nft', args, timeoutMs: config.commandTimeoutMs });
  if (result.kind === 'timeout' || result.kind === 'failed-to-start') {
    throw new DoctorError('undetermined', `nft ${args.join(' ')} could not be run (${result.kind})`);
  }
  return result.kind === 'exited' && result.exitCode === 0;
}
