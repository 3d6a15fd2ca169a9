import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

export const coreDnsDeploymentPath = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
/** Of every Deployment that serves cluster DNS, whatever it is called: Service kube-dns selects by this label. */
export const coreDnsPodsPath = '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns';
export const coreDnsConfigPath = '/api/v1/namespaces/kube-system/configmaps/coredns';
export const coreDnsCustomPath = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';

export interface CoreDnsDeployment {
  /** `/apis/apps/v1/namespaces/kube-system/deployments/coredns` */
  readonly path: string;
  readonly replicas: number;
  readonly available: number;
  readonly nodeSelector: Readonly<Record<string, string>> | undefined;
  /** `spec.template.spec.affinity`, as it is; undefined where there is none. */
  readonly affinity: unknown;
  readonly tolerations: readonly Toleration[];
  /** `spec.template.spec.nodeName`: its pods go there whatever else is said. */
  readonly nodeName?: string;
  /** No change of its template comes to anything. */
  readonly isPaused?: true;
  /** Of the container that serves DNS, with its tag. */
  readonly image: string | undefined;
  /** From the image's tag: `[1, 12, 3]`. */
  readonly version: readonly number[] | undefined;
}

export interface Toleration {
  /** Undefined: of every key. */
  readonly key: string | undefined;
  readonly operator: 'Exists' | 'Equal';
  readonly value: string | undefined;
  /** Undefined: of every effect. */
  readonly effect: string | undefined;
}

export type ParsedDeployment =
  | { readonly kind: 'parsed'; readonly deployment: CoreDnsDeployment }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads one Deployment. */
export function parseCoreDnsDeployment(body: string): ParsedDeployment {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = deploymentSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  const { spec, status } = parsed.data;
  const pod = spec.template.spec;
  const image = servesDns(pod.containers)?.image;
  return {
    kind: 'parsed',
    deployment: {
      path: coreDnsDeploymentPath,
      replicas: spec.replicas ?? 1,
      available: status?.availableReplicas ?? 0,
      nodeSelector: pod.nodeSelector ?? undefined,
      affinity: pod.affinity ?? undefined,
      tolerations: (pod.tolerations ?? []).flatMap(readToleration),
      ...(pod.nodeName && { nodeName: pod.nodeName }),
      ...(spec.paused && { isPaused: true }),
      image,
      version: versionOf(image),
    },
  };
}

/** One with an operator that is not known here tolerates nothing that is known here. */
function readToleration(spec: z.output<ReturnType<typeof tolerationSchema>>): readonly Toleration[] {
  const operator = spec.operator || 'Equal';
  if (operator !== 'Equal' && operator !== 'Exists') return [];
  const { key, value, effect } = spec;
  return [{ key: key || undefined, operator, value: value ?? undefined, effect: effect || undefined }];
}

interface Named {
  readonly name: string;
  readonly image: string | undefined;
}

/** Others beside it may log or measure. */
export function servesDns<T extends Named>(containers: readonly T[]): T | undefined {
  return (
    containers.find(({ name }) => name === 'coredns') ??
    containers.find(({ image }) => image?.includes('coredns')) ??
    containers[0]
  );
}

/** `rancher/mirrored-coredns-coredns:1.12.3`, `registry:5000/coredns/coredns:v1.11.1@sha256:...`. */
function versionOf(image: string | undefined): readonly number[] | undefined {
  const tag = /^[^@]*:v?(\d+(?:\.\d+)+)[^/@]*(?:@|$)/.exec(image ?? '')?.[1];
  return tag?.split('.').map(Number);
}

/** Every field that Go may leave out it may also print as null. */
function deploymentSchema() {
  const container = z.object({
    name: z.string(),
    image: z
      .string()
      .nullish()
      .transform((image) => image ?? undefined),
  });
  return z.object({
    spec: z.object({
      replicas: z.int().nullish(),
      paused: z.boolean().nullish(),
      template: z.object({
        spec: z.object({
          nodeSelector: z.record(z.string(), z.string()).nullish(),
          affinity: z.unknown().optional(),
          nodeName: z.string().nullish(),
          tolerations: z.array(tolerationSchema()).nullish(),
          containers: z.array(container),
        }),
      }),
    }),
    status: z.object({ availableReplicas: z.int().nullish() }).nullish(),
  });
}

function tolerationSchema() {
  const text = z.string().nullish();
  return z.object({ key: text, operator: text, value: text, effect: text });
}
