import type { Version } from '../../coredns/version.ts';
import type { Fact } from '../../engine/fact.ts';
import type { Host, KubeResult } from '../../host/host.ts';
import { clusterDnsPath, parseClusterDnsAddresses } from '../../kube/cluster-dns.ts';
import { parseConfigMap } from '../../kube/config-map.ts';
import {
  type CoreDnsDeployment,
  coreDnsConfigPath,
  coreDnsCustomPath,
  coreDnsDeploymentPath,
  coreDnsPodsPath,
  parseCoreDnsDeployment,
  type Toleration,
} from '../../kube/coredns-objects.ts';
import { type CoreDnsPod, parseCoreDnsPods } from '../../kube/coredns-pods.ts';

export type { CoreDnsDeployment, CoreDnsPod, Toleration };

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
  /** Keys of what is no text, which pods get as files all the same. */
  readonly binaryKeys?: readonly string[];
  /** Nobody can change it. */
  readonly isImmutable?: true;
}

/** Neither on its way out nor left behind by an eviction, whose address another pod may have by now. */
export function isAlive({ isEnding, phase }: Pick<CoreDnsPod, 'isEnding' | 'phase'>): boolean {
  return !isEnding && phase !== 'Failed' && phase !== 'Succeeded';
}

/** Of CoreDNS, by the tag of its image. */
export function versionOf({ deployment }: Pick<CoreDns, 'deployment'>): Version | undefined {
  return deployment.kind === 'known' ? deployment.value.version : undefined;
}

/** One GET for each part, whoever asks. */
export const coreDnsFact: Fact<CoreDns> = {
  id: 'coredns',
  async gather({ host }) {
    const [deployment, pods, config, custom, service] = await Promise.all([
      readPart(host, coreDnsDeploymentPath, 'get deployments', (body) => {
        const parsed = parseCoreDnsDeployment(body);
        return parsed.kind === 'parsed' ? { kind: 'known', value: parsed.deployment } : parsed;
      }),
      readPart(host, coreDnsPodsPath, 'list pods', (body) => {
        const parsed = parseCoreDnsPods(body);
        return parsed.kind === 'parsed' ? { kind: 'known', value: parsed.pods } : parsed;
      }),
      readConfigMap(host, coreDnsConfigPath),
      readConfigMap(host, coreDnsCustomPath),
      readPart(host, clusterDnsPath, 'list services', (body): Read<readonly string[]> => {
        const parsed = parseClusterDnsAddresses(body);
        if (parsed.kind !== 'parsed') return parsed;
        const { addresses } = parsed;
        return addresses === undefined ? { kind: 'absent' } : { kind: 'known', value: addresses };
      }),
    ]);
    return { deployment, pods, config, custom, service };
  },
};

function readConfigMap(host: Host, path: string): Promise<Part<ConfigMap>> {
  return readPart(host, path, 'get configmaps', (body) => {
    const parsed = parseConfigMap(body);
    if (parsed.kind !== 'parsed') return parsed;
    const { data, binaryKeys, isImmutable } = parsed;
    const odd = { ...(binaryKeys.length > 0 && { binaryKeys }), ...(isImmutable && { isImmutable }) };
    return { kind: 'known', value: { path, data, ...odd } };
  });
}

type Read<T> = Part<T> | { readonly kind: 'malformed'; readonly reason: string };

async function readPart<T>(
  host: Host,
  path: string,
  right: string,
  read: (body: string) => Read<T>,
): Promise<Part<T>> {
  const answer = await host.kubeGet(path);
  if (answer.kind === 'unavailable') return withoutAnswer(answer, right);
  const part = read(answer.body);
  if (part.kind !== 'malformed') return part;
  const reason = `the API's answer to GET ${path} cannot be read: ${part.reason}`;
  return { kind: 'unavailable', reason, forbidden: false };
}

function withoutAnswer<T>(
  { reason, status }: Extract<KubeResult, { kind: 'unavailable' }>,
  right: string,
): Part<T> {
  if (status === 404) return { kind: 'absent' };
  if (status === 403) {
    return { kind: 'unavailable', reason: `needs: ${right} in kube-system`, forbidden: true };
  }
  return { kind: 'unavailable', reason, forbidden: false };
}
