import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../node/add-pod.ts';
import type { LabNode } from '../../node/start-node.ts';
import { childOf, type ExecResult } from '../../node/start-process.ts';
import { writeVolume } from './volume.ts';

/** The files that a pod of CoreDNS has of the cluster. */
export interface PodFiles {
  readonly config: Readonly<Record<string, string>>;
  readonly custom: Readonly<Record<string, string>>;
}

export interface CoreDnsPodSpec {
  readonly name: string;
  readonly address: string;
  /** The program; a `.ts` is run by Node. */
  readonly coredns: string;
  readonly files: PodFiles;
  /** As kubelet gives it to pods with `dnsPolicy: Default`. */
  readonly resolvConf: string;
  /** Of the API server, and of the pod's service account. */
  readonly authority: string;
  readonly token: string;
}

export interface RunningPod {
  readonly pod: Pod;
  writeFiles(files: PodFiles): Promise<void>;
  /** Starts the container; called again after it has ended, a new one. */
  startContainer(): Promise<Container>;
  killContainer(): Promise<void>;
  stop(): Promise<void>;
}

export interface Container {
  readonly id: string;
  readonly startedAt: string;
  readonly ended: Promise<ExecResult>;
  /** What it has printed so far. */
  log(): string;
}

/**
 * A pod in its network namespace, whose containers have a mount namespace with files of their own. Its address
 * answers from the beginning; DNS does when a container has been started.
 */
export async function runPod(node: LabNode, spec: CoreDnsPodSpec): Promise<RunningPod> {
  const pod = await node.addPod({ name: spec.name, namespace: 'kube-system', address: spec.address });
  const folder = `/run/lab/pods/${spec.name}`;
  // The node's files, seen from outside.
  const root = node.network.replace(/ns\/net$/, 'root');
  const outside = join(root, folder);
  const account = join(outside, 'run/secrets/kubernetes.io/serviceaccount');
  await Promise.all([account, join(outside, 'etc')].map((each) => mkdir(each, { recursive: true })));
  await Promise.all([
    writeFile(join(outside, 'etc/resolv.conf'), spec.resolvConf),
    writeFile(join(outside, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n'),
    writeFile(join(outside, 'etc/group'), 'root:x:0:\n'),
    writeFile(join(account, 'ca.crt'), spec.authority),
    writeFile(join(account, 'token'), spec.token),
    writeFile(join(account, 'namespace'), 'kube-system'),
  ]);
  const writeFiles = async ({ config, custom }: PodFiles) => {
    await writeVolume(join(outside, 'etc/coredns'), config);
    await writeVolume(join(outside, 'etc/coredns/custom'), custom);
  };
  await writeFiles(spec.files);

  let running: ReturnType<Pod['start']> | undefined;
  return {
    pod,
    writeFiles,
    startContainer: async () => {
      const id = randomBytes(32).toString('hex');
      const place = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', enter, folder];
      const program = spec.coredns.endsWith('.ts') ? [process.execPath, spec.coredns] : [spec.coredns];
      running = pod.start([...place, ...program, '-conf', '/etc/coredns/Corefile'], {
        env: { KUBERNETES_SERVICE_HOST: '10.43.0.1', KUBERNETES_SERVICE_PORT: '443' },
      });
      const { waitForLine, ended, printed } = running;
      await waitForLine('entered');
      const inNode = await pidInNode(running.pid);
      const shown =
        inNode === undefined ? undefined : showCgroup(node, `${folder}/cgroup`, { pid: inNode, id });
      // One that does not start may be gone by now.
      await shown?.catch(async (error: unknown) => {
        if ((await childOf(running?.pid)) !== undefined) throw error;
      });
      return { id, startedAt: new Date().toISOString(), ended, log: printed };
    },
    killContainer: async () => {
      await running?.stop('SIGKILL');
    },
    stop: async () => {
      await running?.stop('SIGTERM');
      await pod.stop();
    },
  };
}

const enter = `
mount --bind $0/etc /etc
mount --bind $0/run /run
echo entered
exec "$@"
`;

async function pidInNode(pid: number | undefined): Promise<string | undefined> {
  const status = await readFile(`/proc/${await childOf(pid)}/status`, 'utf8').catch(() => '');
  return /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
}

/** What /proc/PID/cgroup shows on a node; not a real cgroup, for those are the machine's. */
async function showCgroup(node: LabNode, file: string, of: { readonly pid: string; readonly id: string }) {
  const slice = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podlab.slice';
  await node.writeFile(file, `0::${slice}/cri-containerd-${of.id}.scope\n`);
  await node.run(['mount', '--bind', file, `/proc/${of.pid}/cgroup`]);
}
