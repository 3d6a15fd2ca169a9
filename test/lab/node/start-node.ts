/**
 * A disposable k3s-like node on the real kernel, for the lab tests and for the demo.
 *
 * Every node has its own mount, network, process and host name namespaces. All that happens to its
 * files, firewall and processes stays in there, and is gone when the node is stopped or when the
 * process that started it ends, by whatever cause. Nothing here knows the product, but for the path
 * of its command.
 */
import { fileURLToPath } from 'node:url';
import { addPod, type Pod, type PodHost, type PodSpec } from './add-pod.ts';
import { attachNetns } from './attach-netns.ts';
import { defaultAddresses, type NodeAddresses } from './boot-script.ts';
import { createNamespaces } from './create-namespaces.ts';
import { createPlace, type ExecOptions, type Place } from './create-place.ts';
import { type CrictlAnswer, fakeCrictl } from './fake-crictl.ts';
import { fakeProcess } from './fake-process.ts';
import { type Backend, type DumpOptions, dumpRuleset, type Family, restoreRuleset } from './ruleset-text.ts';
import { type PortmapCall, runPortmap } from './run-portmap.ts';
import type { ExecResult, ProcessOptions, RunningProcess } from './start-process.ts';
import { type NodeSnapshot, takeSnapshot } from './take-snapshot.ts';
import { writeFile } from './write-file.ts';

export interface LabNode extends Place, AsyncDisposable {
  /** 192.168.60.1 and fd00:60::1 unless said otherwise: where the outside clients reach the node. */
  readonly address: string;
  readonly address6: string;
  readonly hostname: string;
  /** The network namespace, as a path below our own /proc. */
  readonly network: string;

  /** Writes a file, with the folders above it. `mode` is octal, default `644`. */
  writeFile(path: string, text: string, mode?: string): Promise<void>;
  readFile(path: string): Promise<string>;

  /** Loads a dump with the real `ip[6]tables-{legacy,nft}-restore`. */
  restore(backend: Backend, family: Family, dump: string, options?: { noFlush?: boolean }): Promise<void>;
  /** What the real `ip[6]tables-{legacy,nft}-save` prints; registers no table. */
  dump(backend: Backend, family: Family, options?: DumpOptions): Promise<string>;
  /** All there is in the node's firewall, as text that differs only if something was changed. */
  snapshot(): Promise<NodeSnapshot>;

  /** A pod: a network namespace on bridge cni0 with a server that answers the pod's name. */
  addPod(spec: PodSpec): Promise<Pod>;
  /** A host outside that reaches the node's addresses, and whatever is behind them, over its eth0. */
  addClient(spec?: ClientSpec): Promise<Client>;
  /** Runs the real CNI portmap plugin, as containerd does when a pod is added or deleted. */
  cni(backend: Backend, command: 'ADD' | 'DEL', call: PortmapCall): Promise<void>;

  /** A process that does nothing under this name and with these arguments: `fakeProcess('k3s', ['server'])`. */
  fakeProcess(name: string, args?: readonly string[]): Promise<RunningProcess>;
  /** Puts a program there that answers as crictl does, and returns its path. Call again to change the answer. */
  fakeCrictl(answer: CrictlAnswer): Promise<string>;

  /** Runs the product from its sources, as root on the node. */
  doctor(args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  startDoctor(args: readonly string[], options?: ProcessOptions): RunningProcess;

  /** Ends every process on the node; nothing is left of it afterwards. */
  stop(): Promise<void>;
}

export interface NodeSpec {
  readonly hostname?: string;
  /** Default 192.168.60.1 and fd00:60::1 on eth0, 10.42.0.1 and fd00:42::1 on cni0. */
  readonly addresses?: NodeAddresses;
}

export interface ClientSpec {
  readonly name?: string;
  /** In 192.168.60.0/24, default .2 */
  readonly address?: string;
  /** In fd00:60::/64, default ::2 */
  readonly address6?: string;
}

export interface Client extends Place {
  readonly name: string;
  readonly address: string;
  readonly address6: string;
}

/**
 * Starts a node with bridge cni0 (10.42.0.1/24, fd00:42::1/64), eth0, routes and forwarding, and no
 * firewall rules at all. Some 50 ms.
 *
 * @example
 * await using node = await startNode();
 * const web = await node.addPod({ name: 'web', address: '10.42.0.9', tcp: [8080] });
 * const client = await node.addClient();
 * await node.cni('nft', 'ADD', { pod: web, hostPorts: [{ hostPort: 80, containerPort: 8080 }] });
 * await client.http(node.address, 80); // { ok: true, body: 'web', ... }
 *
 * @throws Error when the machine lacks a tool or a right; its message is what the tool said.
 */
export async function startNode(spec: NodeSpec = {}): Promise<LabNode> {
  const { hostname = 'lab-node', addresses = defaultAddresses } = spec;
  const namespaces = await createNamespaces(hostname, addresses);
  const place = createPlace(namespaces);
  const podHost = { node: place, namespaces, addresses };
  return {
    ...place,
    address: addresses.eth0.ipv4,
    address6: addresses.eth0.ipv6,
    hostname,
    network: namespaces.network,
    writeFile: (path, content, mode = '644') => writeFile(place, { path, content, mode }),
    readFile: (path) => place.run(['cat', path]),
    restore: (backend, family, dump, options = {}) =>
      restoreRuleset(place, { backend, family, dump, ...options }),
    dump: (backend, family, options = {}) => dumpRuleset(place, { backend, family, ...options }),
    snapshot: () => takeSnapshot(place),
    addPod: (spec) => addPod(podHost, spec),
    addClient: (spec = {}) => addClient(podHost, spec),
    cni: (backend, command, call) => runPortmap(place, { backend, command, ...call }),
    fakeProcess: (name, args = []) => fakeProcess(place, name, args),
    fakeCrictl: (answer) => fakeCrictl(place, answer),
    doctor: (args, options = {}) => place.exec([...doctorCommand, ...args], options),
    startDoctor: (args, options = {}) => place.start([...doctorCommand, ...args], options),
    stop: namespaces.stop,
    [Symbol.asyncDispose]: namespaces.stop,
  };
}

/** The product's command line, from its sources. */
export const doctorCommand = [
  process.execPath,
  fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url)),
] as const;

async function addClient({ node, namespaces, addresses }: PodHost, spec: ClientSpec): Promise<Client> {
  const { name = 'client', address = '192.168.60.2', address6 = 'fd00:60::2' } = spec;
  await attachNetns(node, {
    name,
    bridge: 'eth0',
    gateways: addresses.eth0,
    addresses: [address, address6],
  });
  return { ...createPlace(namespaces, name), name, address, address6 };
}
