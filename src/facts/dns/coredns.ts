import type { Fact } from '../../engine/fact.ts';

/** One part of what the cluster says of its DNS: each may need a right of its own. */
export type Part<T> =
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'absent' }
  /** `forbidden`: the API answered, and gives these credentials no right; `reason` names the right. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

/** CoreDNS as the API has it: Deployment, pods and ConfigMaps in kube-system. */
export interface CoreDns {
  readonly deployment: Part<CoreDnsDeployment>;
  /** Those that are ending among them. */
  readonly pods: Part<readonly CoreDnsPod[]>;
  /** ConfigMap `coredns`. */
  readonly config: Part<ConfigMap>;
  /** ConfigMap `coredns-custom`. */
  readonly custom: Part<ConfigMap>;
  /** Addresses of the Service that pods are told to ask. */
  readonly service: Part<readonly string[]>;
}

export interface ConfigMap {
  /** In the API, e.g. `/api/v1/namespaces/kube-system/configmaps/coredns`. */
  readonly path: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface CoreDnsDeployment {
  /** `/apis/apps/v1/namespaces/kube-system/deployments/coredns` */
  readonly path: string;
  readonly replicas: number;
  readonly available: number;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  /** `spec.template.spec.affinity`, as it is; undefined where there is none. */
  readonly affinity: unknown;
  readonly tolerations: readonly Toleration[];
  /** Of the container that serves DNS, with its tag. */
  readonly image: string | undefined;
  /** From the image's tag: `[1, 12, 3]`. */
  readonly version: readonly number[] | undefined;
}

export interface Toleration {
  readonly key: string | undefined;
  readonly operator: 'Exists' | 'Equal';
  readonly value: string | undefined;
  readonly effect: string | undefined;
}

export interface CoreDnsPod {
  readonly name: string;
  readonly node: string | undefined;
  readonly address: string | undefined;
  /** `Running`, `Pending`, ... */
  readonly phase: string;
  readonly ready: boolean;
  readonly isEnding: boolean;
  readonly restarts: number;
  /** Why its container does not run: `CrashLoopBackOff`, `ContainerCreating`, ... */
  readonly waiting: string | undefined;
  readonly lastTermination:
    | { readonly reason: string | undefined; readonly exitCode: number; readonly message: string | undefined }
    | undefined;
  /** Without `containerd://`. */
  readonly containerId: string | undefined;
  /** Why it cannot be placed, as its condition PodScheduled says. */
  readonly unschedulable: string | undefined;
}

/** One GET for each part, whoever asks. */
export const coreDnsFact: Fact<CoreDns> = {
  id: 'coredns',
  async gather() {
    throw new Error('not built yet');
  },
};
