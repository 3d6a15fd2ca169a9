import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

/** The first nodes of the cluster, in one page. */
export const someNodesPath = '/api/v1/nodes?limit=50';

/** All of them, in as many pages as it takes. */
export const allNodesPath = '/api/v1/nodes';

export type ParsedNodes =
  | { readonly kind: 'parsed'; readonly nodes: readonly ClusterNode[] }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

export interface ClusterNode {
  readonly name: string;
  readonly ready: boolean;
  /** Of both families, as the node told the API. */
  readonly internalAddresses: readonly string[];
  readonly externalAddresses: readonly string[];
  readonly podCidrs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Cordoned: no new pod is placed there. */
  readonly unschedulable: boolean;
  /** Of kubelet, which is k3s': `v1.34.2+k3s1`. */
  readonly version: string | undefined;
  readonly controlPlane: boolean;
  readonly etcd: boolean;
  /** Annotations `flannel.alpha.coreos.com/*`. */
  readonly flannel: {
    /** `vxlan`, `host-gw`, `wireguard`, ...; undefined: no Flannel there. */
    readonly backend: string | undefined;
    readonly publicIp: string | undefined;
    readonly publicIpv6: string | undefined;
    readonly publicIpOverwrite: string | undefined;
    /** Of the VXLAN device, from `backend-data`. */
    readonly vtepMac: string | undefined;
    readonly vtepMacV6: string | undefined;
  };
}

/** Keeps pods away that do not tolerate it. */
export interface Taint {
  readonly key: string;
  readonly value: string | undefined;
  /** `NoSchedule`, `PreferNoSchedule`, `NoExecute`. */
  readonly effect: string;
}

/** Reads a list of nodes. A field that a node lacks says nothing; it is not ready then. */
export function parseNodes(body: string): ParsedNodes {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = listSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  return { kind: 'parsed', nodes: parsed.data.items.map(readNode) };
}

function readNode({ metadata, spec, status }: NodeObject): ClusterNode {
  const labels = metadata.labels ?? {};
  const hasRole = (role: string) => Object.hasOwn(labels, `node-role.kubernetes.io/${role}`);
  const addressesOf = (wanted: string) =>
    (status?.addresses ?? []).filter(({ type }) => type === wanted).map(({ address }) => address);
  const podCidr = spec?.podCIDR ? [spec.podCIDR] : [];
  return {
    name: metadata.name,
    ready: (status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
    internalAddresses: addressesOf('InternalIP'),
    externalAddresses: addressesOf('ExternalIP'),
    podCidrs: spec?.podCIDRs ?? podCidr,
    labels,
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({
      key,
      value: value ?? undefined,
      effect,
    })),
    unschedulable: spec?.unschedulable ?? false,
    version: status?.nodeInfo?.kubeletVersion || undefined,
    controlPlane: hasRole('control-plane') || hasRole('master'),
    etcd: hasRole('etcd'),
    flannel: readFlannel(metadata.annotations ?? {}),
  };
}

function readFlannel(annotations: Readonly<Record<string, string>>): ClusterNode['flannel'] {
  const of = (name: string) => annotations[`flannel.alpha.coreos.com/${name}`] || undefined;
  return {
    backend: of('backend-type'),
    publicIp: of('public-ip'),
    publicIpv6: of('public-ipv6'),
    publicIpOverwrite: of('public-ip-overwrite'),
    vtepMac: readMac(of('backend-data')),
    vtepMacV6: readMac(of('backend-v6-data')),
  };
}

/** Other backends write other things there, or `null`. */
function readMac(data: string | undefined): string | undefined {
  const vxlan = z.object({ VtepMAC: z.string().min(1) }).safeParse(parseJson(data ?? ''));
  return vxlan.data?.VtepMAC.toLowerCase();
}

type NodeObject = z.output<ReturnType<typeof nodeSchema>>;

function listSchema() {
  return z.object({ items: z.array(nodeSchema()) });
}

/** Every field that Go may leave out it may also print as null. */
function nodeSchema() {
  const texts = z.record(z.string(), z.string()).nullish();
  return z.object({
    metadata: z.object({ name: z.string(), labels: texts, annotations: texts }),
    spec: z
      .object({
        podCIDR: z.string().nullish(),
        podCIDRs: z.array(z.string()).nullish(),
        taints: z
          .array(z.object({ key: z.string(), value: z.string().nullish(), effect: z.string() }))
          .nullish(),
        unschedulable: z.boolean().nullish(),
      })
      .nullish(),
    status: z
      .object({
        addresses: z.array(z.object({ type: z.string(), address: z.string() })).nullish(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
        nodeInfo: z.object({ kubeletVersion: z.string().nullish() }).nullish(),
      })
      .nullish(),
  });
}
