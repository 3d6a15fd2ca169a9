/**
 * A cluster of two nodes with one pod of CoreDNS, as the API tells it, and what that pod's metrics and log
 * say. Everything else (the Corefile as CoreDNS reads it, whom it asks) is found out by the facts themselves.
 */
import { corednsHealth } from '../../../src/checks/coredns-health/check.ts';
import { defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { createFactContext, type Fact, type FactContext } from '../../../src/engine/fact.ts';
import { type ClusterNodes, clusterNodesFact } from '../../../src/facts/cluster-nodes.ts';
import { type CoreDns, type CoreDnsPod, coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { localCoreDnsFact } from '../../../src/facts/dns/local-coredns.ts';
import { type Presence, presenceFact } from '../../../src/facts/dns/presence.ts';
import type { HttpResult, KubeResult } from '../../../src/host/host.ts';
import { newK3sCorefile } from '../../coredns/read.ts';

export interface Changes {
  readonly presence?: Presence;
  /** The one forward of the Corefile. */
  readonly forward?: string;
  readonly corefile?: string;
  readonly custom?: Readonly<Record<string, string>>;
  /** Undefined: there is no such key. */
  readonly nodeHosts?: string | undefined;
  readonly pods?: readonly Partial<CoreDnsPod>[];
  readonly replicas?: number;
  readonly version?: readonly number[];
  readonly coreDns?: Partial<CoreDns>;
  readonly nodes?: ClusterNodes;
  /** Of each pod: what it counts; `silent`: it is not reached. */
  readonly failedReloads?: number | 'silent';
  /** What each pod says; undefined: it cannot be read. */
  readonly log?: string;
  /** In the pod's /etc/resolv.conf. */
  readonly podServers?: readonly string[];
  readonly now?: string;
}

export const pod: CoreDnsPod = {
  name: 'coredns-6799fbcd5-x7k2p',
  node: 'main',
  address: '10.42.0.5',
  phase: 'Running',
  ready: true,
  isEnding: false,
  restarts: 0,
  waiting: undefined,
  lastTermination: undefined,
  containerId: 'c0ffee',
  unschedulable: undefined,
};

export const crashing: Partial<CoreDnsPod> = {
  ready: false,
  restarts: 7,
  waiting: 'CrashLoopBackOff',
  lastTermination: { reason: 'Error', exitCode: 1, message: undefined, at: new Date('2026-03-28T01:00:00Z') },
};

export const forbidden = (right: string) =>
  ({ kind: 'unavailable', reason: `needs: ${right} in kube-system`, forbidden: true }) as const;

export const corefileWith = (forward: string) =>
  newK3sCorefile.replace('forward . /etc/resolv.conf', () => forward);

const nodes = {
  kind: 'known',
  nodes: [
    { name: 'main', internalAddresses: ['203.0.113.10'], externalAddresses: [] },
    { name: 'worker', internalAddresses: ['198.51.100.20', '2001:db8::20'], externalAddresses: [] },
  ],
  self: undefined,
  source: 'k3s.yaml',
} as unknown as ClusterNodes;

export async function diagnose(changes: Changes = {}): Promise<Diagnosis> {
  return corednsHealth.run(contextOf(changes));
}

export async function codesOf(changes: Changes): Promise<readonly string[]> {
  return (await diagnose(changes)).findings.map(({ code, severity }) => `${severity} ${code}`);
}

function contextOf(changes: Changes): FactContext {
  const given = new Map<string, unknown>([
    [presenceFact.id, changes.presence ?? { kind: 'present' }],
    [coreDnsFact.id, coreDnsOf(changes)],
    [clusterNodesFact.id, changes.nodes ?? nodes],
    [localCoreDnsFact.id, { processes: processesOf(changes) }],
  ]);
  // Nothing of the machine's own: what is not listed here may not be asked.
  const host: Partial<FactContext['host']> = {
    now: () => new Date(changes.now ?? '2026-03-28T02:00:00Z'),
    httpGet: async (url) => metricsAt(url, changes),
    kubeGet: async (path) => logAt(path, changes),
  };
  const context = createFactContext(
    new Proxy(host, {
      get: (known, name: keyof typeof host) =>
        known[name] ?? (() => Promise.reject(new Error(`nobody should use ${name}`))),
    }) as FactContext['host'],
    defaultConfig(),
  );
  const real = context.get;
  const get = <T>(fact: Fact<T>): Promise<T> =>
    given.has(fact.id) ? Promise.resolve(given.get(fact.id) as T) : real(fact);
  return Object.assign(context, { get });
}

function coreDnsOf(changes: Changes): CoreDns {
  const pods = (changes.pods ?? [{}]).map((each) => ({ ...pod, ...each }));
  const corefile = changes.corefile ?? corefileWith(changes.forward ?? 'forward . 192.0.2.1');
  const nodeHosts =
    'nodeHosts' in changes
      ? changes.nodeHosts
      : '203.0.113.10 main\n198.51.100.20 worker\n2001:db8:0::20 worker\n';
  const path = '/api/v1/namespaces/kube-system/configmaps/coredns';
  return {
    deployment: {
      kind: 'known',
      value: {
        path: '/apis/apps/v1/namespaces/kube-system/deployments/coredns',
        replicas: changes.replicas ?? pods.length,
        available: pods.filter(({ ready }) => ready).length,
        nodeSelector: undefined,
        affinity: undefined,
        tolerations: [],
        image: 'rancher/mirrored-coredns-coredns:1.12.3',
        version: changes.version ?? [1, 12, 3],
      },
    },
    pods: { kind: 'known', value: pods },
    config: {
      kind: 'known',
      value: { path, data: { Corefile: corefile, ...(nodeHosts !== undefined && { NodeHosts: nodeHosts }) } },
    },
    custom: changes.custom
      ? { kind: 'known', value: { path: `${path}-custom`, data: changes.custom } }
      : { kind: 'absent' },
    service: { kind: 'known', value: ['10.43.0.10'] },
    ...changes.coreDns,
  };
}

function processesOf({ podServers }: Changes) {
  if (podServers === undefined) return [];
  const resolvConf = { kind: 'read', path: '/etc/resolv.conf', nameservers: podServers, unfit: undefined };
  return [{ pid: 4711, pod: pod.name, resolvConf }];
}

function metricsAt(url: string, { failedReloads = 0 }: Changes): HttpResult {
  if (!/^http:\/\/(10\.42\.\d+\.\d+|203\.0\.113\.10):9153\/metrics$/.test(url))
    throw new Error(`nobody should ask ${url}`);
  if (failedReloads === 'silent') return { kind: 'unavailable', reason: 'no answer in 3 s' };
  return {
    kind: 'ok',
    body: `# TYPE coredns_reload_failed_total counter\ncoredns_reload_failed_total ${failedReloads}\n`,
  };
}

function logAt(path: string, { log }: Changes): KubeResult {
  if (!/^\/api\/v1\/namespaces\/kube-system\/pods\/[\w-]+\/log\?/.test(path))
    throw new Error(`nobody should ask ${path}`);
  if (log === undefined) return { kind: 'unavailable', reason: 'forbidden', status: 403 };
  return { kind: 'ok', body: log, source: 'k3s.yaml' };
}
