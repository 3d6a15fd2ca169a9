import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ClusterState } from '../../api-server/cluster-state.ts';
import type { LabNode } from '../../node/start-node.ts';
import { configPath, customPath, dataOf, type PodView } from './objects.ts';
import { type Container, type CoreDnsPodSpec, type PodFiles, type RunningPod, runPod } from './run-pod.ts';

export interface WorkerNode {
  readonly node: LabNode;
  /** `10.42.1.` */
  readonly podPrefix: string;
  /** What kubelet gives to pods made from now on as their resolv.conf. */
  resolvConf: string;
}

export interface KubeletOptions {
  readonly state: ClusterState;
  /** By name. */
  readonly nodes: ReadonlyMap<string, WorkerNode>;
  readonly pod: Pick<CoreDnsPodSpec, 'coredns' | 'authority' | 'token'>;
  /** From a change of a ConfigMap until it is in the pod's folder; in the world a minute or more. */
  readonly volumeDelayMs: number;
}

interface Kept {
  readonly path: string;
  readonly running: RunningPod;
  container?: Container;
  /** Of the container that has ended last, as `kubectl logs --previous` has it. */
  lastLog?: string;
  lastState?: object;
  restarts: number;
}

/** The kubelets of all nodes: run the pods that are theirs, and say in the API how they are. */
export function createKubelet({ state, nodes, pod, volumeDelayMs }: KubeletOptions) {
  const kept = new Map<string, Kept>();
  let lastAddress = 9;
  let isStopped = false;
  let refreshing = Promise.resolve();

  const run = async ({ name, path }: PodView, nodeName: string): Promise<void> => {
    const worker = nodes.get(nodeName);
    if (worker === undefined || kept.has(name)) return;
    lastAddress += 1;
    const { node, podPrefix, resolvConf } = worker;
    const address = `${podPrefix}${lastAddress}`;
    const running = await runPod(node, { ...pod, name, address, resolvConf, files: filesOf(state) });
    const entry: Kept = { path, running, restarts: 0 };
    kept.set(name, entry);
    await startContainer(entry);
  };

  const startContainer = async (entry: Kept): Promise<void> => {
    const container = await entry.running.startContainer();
    entry.container = container;
    const isCurrent = () =>
      !isStopped && entry.container === container && state.get(entry.path) !== undefined;
    const running = { running: { startedAt: container.startedAt } };
    tell(entry, { ready: false, state: running });
    const whenReady = async () => {
      const { exitCode } = await entry.running.pod.exec([process.execPath, awaitReady], {
        timeoutMs: 40_000,
      });
      if (exitCode === 0 && isCurrent()) tell(entry, { ready: true, state: running });
    };
    const whenEnded = async () => {
      const { exitCode, stdout, stderr } = await container.ended;
      if (!isCurrent()) return;
      entry.restarts += 1;
      entry.lastLog = container.log();
      const message = `${stdout}${stderr}`.trimEnd().split('\n').slice(-3).join('\n');
      const finishedAt = new Date().toISOString();
      const terminated = { exitCode, reason: 'Error', message, startedAt: container.startedAt, finishedAt };
      const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' };
      entry.lastState = { terminated };
      tell(entry, { ready: false, state: { waiting } });
      await delay(1_000);
      if (isCurrent()) await startContainer(entry);
    };
    // A pod that goes meanwhile takes both with it.
    void whenReady().catch(() => undefined);
    void whenEnded().catch(() => undefined);
  };

  const tell = (entry: Kept, told: ContainerState): void => {
    const object = state.get(entry.path);
    if (object !== undefined) state.put({ ...object, status: statusOf(entry, told) });
  };

  return {
    run,
    async remove({ name, path }: PodView): Promise<void> {
      const entry = kept.get(name);
      kept.delete(name);
      if (entry !== undefined) {
        delete entry.container;
        await entry.running.stop();
      }
      state.remove(path);
    },
    /** Brings the ConfigMaps as they are now into the pods' folders, after a while. */
    refresh(): void {
      refreshing = refreshing.then(async () => {
        await delay(volumeDelayMs);
        if (isStopped) return;
        await Promise.all([...kept.values()].map(({ running }) => running.writeFiles(filesOf(state))));
      });
    },
    /** Returns when all that was changed is in the pods' folders. */
    refreshed: () => refreshing,
    /** GET of a pod's log: of the container that has ended last, where there is one. */
    readLog(path: string): string | undefined {
      const entry = [...kept.values()].find((each) => `${each.path}/log` === path);
      return entry?.lastLog ?? entry?.container?.log();
    },
    /** As when the kernel runs out of memory. The container comes back. */
    async killContainer(name: string): Promise<void> {
      await kept.get(name)?.running.killContainer();
    },
    stop(): void {
      isStopped = true;
    },
  };
}

export type Kubelet = ReturnType<typeof createKubelet>;

const awaitReady = fileURLToPath(new URL('./await-ready.ts', import.meta.url));

function filesOf(state: ClusterState): PodFiles {
  const { Corefile = '', NodeHosts = '' } = dataOf(state, configPath);
  return { config: { Corefile, NodeHosts }, custom: dataOf(state, customPath) };
}

interface ContainerState {
  readonly ready: boolean;
  readonly state: object;
}

function statusOf({ running, container, restarts, lastState = {} }: Kept, told: ContainerState): object {
  const [podIP] = running.pod.addresses;
  const image = 'docker.io/rancher/mirrored-coredns-coredns:1.12.3';
  const ready = told.ready ? 'True' : 'False';
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    qosClass: 'Burstable',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Initialized', status: 'True' },
      { type: 'ContainersReady', status: ready },
      { type: 'Ready', status: ready },
    ],
    containerStatuses: [
      {
        name: 'coredns',
        image,
        imageID: image,
        ...(container && { containerID: `containerd://${container.id}` }),
        ready: told.ready,
        started: told.ready,
        restartCount: restarts,
        state: told.state,
        lastState,
      },
    ],
  };
}
