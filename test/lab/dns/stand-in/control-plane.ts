import { setTimeout as delay } from 'node:timers/promises';
import { controlDeployment, endPod } from './deployment.ts';
import { writeServices } from './kube-proxy.ts';
import { createKubelet, type Kubelet, type KubeletOptions } from './kubelet.ts';
import { type PodView, readDeployment, readPods } from './objects.ts';
import { schedule } from './schedule.ts';

export interface ControlPlaneOptions extends KubeletOptions {
  /** `ADDRESS:PORT` */
  readonly apiServer: string;
}

export interface ControlPlane {
  readonly kubelet: Kubelet;
  /** Returns when every pod that has a node is ready, and nothing is left to be done. */
  settled(): Promise<void>;
  /** Until it is resumed nobody acts on what is in the API. */
  pause(): void;
  resume(): void;
  /** As `kubectl rollout restart`, or a reboot: new pods in place of all there are. */
  replacePods(): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to act on the API's objects, as `objects.ts` describes it. */
export function startControlPlane({ apiServer, ...options }: ControlPlaneOptions): ControlPlane {
  const { state, nodes } = options;
  const kubelet = createKubelet(options);
  let served: string | undefined;
  let isPaused = false;
  let isStopped = false;
  let isWanted = false;
  let failure: unknown;
  let loop: Promise<void> | undefined;

  const wake = () => {
    isWanted = true;
    loop ??= work().finally(() => {
      loop = undefined;
    });
  };
  const work = async () => {
    // Not within the request that woke us.
    await delay(20);
    try {
      while (isWanted && !isPaused && !isStopped) {
        isWanted = false;
        await act();
      }
    } catch (error) {
      failure ??= error;
    }
  };
  const act = async () => {
    controlDeployment(state);
    // First of all the way to the API server, which CoreDNS needs at its start.
    await serve();
    for (const pod of readPods(state)) {
      if (pod.isEnding) await kubelet.remove(pod);
      else if (pod.node === undefined) place(pod);
      else await kubelet.run(pod, pod.node);
    }
  };

  const place = ({ object }: PodView) => {
    const template = readDeployment(state)?.spec.template;
    if (template === undefined) return;
    const nodeObjects = Object.entries(state.all()).flatMap(([path, node]) =>
      path.startsWith('/api/v1/nodes/') ? node : [],
    );
    const taken = readPods(state).flatMap(({ isEnding, node }) => (isEnding ? [] : node));
    const choice = schedule(template, nodeObjects, taken);
    if ('node' in choice) {
      state.put({ ...object, spec: { ...template.spec, nodeName: choice.node } });
      return;
    }
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' };
    const conditions = [{ ...condition, message: choice.unschedulable }];
    state.put({ ...object, status: { phase: 'Pending', conditions } });
  };

  const serve = async () => {
    const ready = readPods(state).filter(({ isReady, isEnding }) => isReady && !isEnding);
    const addresses = ready.flatMap(({ address }) => address ?? []).toSorted();
    if (addresses.join() === served) return;
    served = addresses.join();
    await Promise.all([...nodes.values()].map(({ node }) => writeServices(node, addresses, apiServer)));
  };

  const unsubscribe = state.subscribe(({ object }) => {
    if (object.kind === 'ConfigMap') kubelet.refresh();
    else wake();
  });
  wake();

  const settled = async () => {
    const deadline = Date.now() + 20_000;
    for (let quiet = 0; quiet < 3; quiet += 1, await delay(30)) {
      const starting = readPods(state).filter(({ node, isReady }) => node !== undefined && !isReady);
      if (starting.length > 0 || loop !== undefined) quiet = 0;
      if (failure !== undefined) throw failure;
      if (Date.now() > deadline) throw new Error(`not ready: ${describe(starting)}`);
    }
  };

  return {
    kubelet,
    settled,
    replacePods: async () => {
      for (const pod of readPods(state)) endPod(state, pod);
      await settled();
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      wake();
    },
    stop: async () => {
      isStopped = true;
      kubelet.stop();
      unsubscribe();
      await Promise.all([loop, kubelet.refreshed()]);
    },
  };
}

function describe(pods: readonly PodView[]): string {
  return JSON.stringify(pods.map(({ name, node, object }) => ({ name, node, status: object['status'] })));
}
