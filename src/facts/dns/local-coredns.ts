import type { Fact } from '../../engine/fact.ts';
import type { Host } from '../../host/host.ts';
import { parseAddress } from '../../netfilter/walk/addresses.ts';
import { type CoreDnsPod, coreDnsFact, isAlive } from './coredns.ts';
import { type ResolvConf, readResolvConf } from './resolv-conf.ts';

/** Processes of CoreDNS on this node, and what resolv.conf each sees. */
interface LocalCoreDns {
  readonly processes: readonly {
    readonly pid: number;
    /** Of the pod, where the API's container id is in the process's cgroup, or the pod's address in its network. */
    readonly pod: string | undefined;
    /** /proc/PID/root/etc/resolv.conf */
    readonly resolvConf: ResolvConf;
  }[];
}

export const localCoreDnsFact: Fact<LocalCoreDns> = {
  id: 'local-coredns',
  async gather({ host, get }) {
    const all = await host.listProcesses();
    const named = all.filter(({ name }) => name === 'coredns');
    if (named.length === 0) return { processes: [] };
    const { pods } = await get(coreDnsFact);
    const own = await readAddresses(host, '/proc/self');
    const found = await Promise.all(
      named.map(async ({ pid }) => {
        const [cgroup, addresses] = await Promise.all([
          host.readFile(`/proc/${pid}/cgroup`),
          readAddresses(host, `/proc/${pid}`),
        ]);
        const process = {
          cgroup: cgroup.kind === 'read' ? cgroup.text : '',
          // In our own network an address proves nothing: every process there has it.
          addresses: addresses === own ? undefined : addresses,
        };
        const pod = pods.kind === 'known' ? findPod(pods.value, process) : undefined;
        // Some other program of that name, or the API is away and cannot tell.
        const counts = pods.kind === 'known' ? pod !== undefined : process.addresses !== undefined;
        return counts ? { pid, pod: pod?.name } : undefined;
      }),
    );
    const processes = found
      .filter((each) => each !== undefined)
      .map(async (each) => ({
        ...each,
        resolvConf: await readResolvConf(host, `/proc/${each.pid}/root/etc/resolv.conf`),
      }));
    return { processes: await Promise.all(processes) };
  },
};

/** A text that is the same in all processes of a network, with each of its addresses. */
async function readAddresses(host: Host, process: string): Promise<string | undefined> {
  const [ipv4, ipv6] = await Promise.all([
    host.readFile(`${process}/net/fib_trie`),
    host.readFile(`${process}/net/if_inet6`),
  ]);
  if (ipv4.kind !== 'read') return undefined;
  return ipv4.text + (ipv6.kind === 'read' ? ipv6.text : '');
}

interface Evidence {
  readonly cgroup: string;
  readonly addresses: string | undefined;
}

/** By its container's id, else by its own address in the process' network. */
function findPod(pods: readonly CoreDnsPod[], { cgroup, addresses }: Evidence): CoreDnsPod | undefined {
  const containers = new Set(cgroup.split('\n').map(containerOf));
  const byContainer = pods.find(
    ({ containerId }) => containerId !== undefined && containers.has(containerId),
  );
  if (byContainer !== undefined || addresses === undefined) return byContainer;
  return pods.find((pod) => isAlive(pod) && pod.address !== undefined && holds(addresses, pod.address));
}

/** `0::/kubepods/besteffort/podUID/ID`, `.../cri-containerd-ID.scope`, `.../cri-containerd:kubepods-...:ID` */
function containerOf(line: string): string {
  const last = line.split('/').at(-1) ?? '';
  return (
    last
      .replace(/\.scope$/, '')
      .split(/[-:]/)
      .at(-1) ?? ''
  );
}

/** Looks an address up in what the kernel prints of them. */
function holds(addresses: string, address: string): boolean {
  if (!address.includes(':')) {
    const entries = addresses.split('|-- ').filter((entry) => entry.startsWith(`${address}\n`));
    return entries.some((entry) => /^\S+\n\s+\/32 host LOCAL/.test(entry));
  }
  const hex = [...(parseAddress(address, 'ipv6') ?? [])].map((byte) => byte.toString(16).padStart(2, '0'));
  return hex.length > 0 && addresses.includes(`${hex.join('')} `);
}
