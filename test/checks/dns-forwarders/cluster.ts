/**
 * A cluster of two nodes in which CoreDNS runs on this one, as the API tells it, and a network in which DNS
 * servers behave as a table says. What follows from both (the Corefile as CoreDNS reads it, whom it asks,
 * what they answer, who else could be asked) is found out by the facts themselves.
 */
import { dnsForwarders } from '../../../src/checks/dns-forwarders/check.ts';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import { createFactContext, type Fact, type FactContext } from '../../../src/engine/fact.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import type { Step } from '../../../src/engine/step.ts';
import { type ClusterNodes, clusterNodesFact, type NodeFacts } from '../../../src/facts/cluster-nodes.ts';
import { clusterAnswersFact } from '../../../src/facts/dns/cluster-answers.ts';
import { type CoreDns, type CoreDnsPod, coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { localCoreDnsFact } from '../../../src/facts/dns/local-coredns.ts';
import { coreDnsMetricsFact } from '../../../src/facts/dns/metrics.ts';
import { type Packaged, packagedFact } from '../../../src/facts/dns/packaged.ts';
import { type Presence, presenceFact } from '../../../src/facts/dns/presence.ts';
import type { ResolvConf } from '../../../src/facts/dns/resolv-conf.ts';
import { type Resolvers, resolversFact } from '../../../src/facts/dns/resolvers.ts';
import type { ServerAnswer, Tried } from '../../../src/facts/dns/server-answer.ts';
import type { DnsAnswer, DnsQuestion } from '../../../src/host/host.ts';
import { k3sCorefile, newK3sCorefile } from '../../coredns/read.ts';

/** Of k3s 1.30, but for the servers: its own forward stands ahead of the import. */
export const oldCorefile = (forward = 'forward . 8.8.8.8 1.1.1.1') =>
  k3sCorefile.replace(ownForward, () => forward);

/** Of k3s 1.34: the import comes first. */
export const newCorefile = (forward = ownForward) => newK3sCorefile.replace(ownForward, () => forward);

const ownForward = 'forward . /etc/resolv.conf';

export const overridePath = '/etc/coredns/custom/k3s-doctor-upstream.override';

type Protocol = DnsQuestion['protocol'];
/** How a server behaves, over both protocols or over each. */
type Deed =
  | 'answers'
  | 'silent'
  | 'rejected'
  | 'forbidden'
  | 'servfail'
  | 'refused'
  | 'slow'
  | 'late'
  | 'says-none'
  | 'wrong'
  | 'cut';
export type Behaviour = Deed | Partial<Record<Protocol, Deed>>;

export interface Changes {
  readonly corefile?: string;
  readonly custom?: Readonly<Record<string, string>>;
  /** By address; who is not listed is silent. */
  readonly network?: Readonly<Record<string, Behaviour>>;
  /** The same, seen from CoreDNS' own network. Without it, it cannot be asked from there. */
  readonly podNetwork?: Readonly<Record<string, Behaviour>>;
  readonly config?: Partial<Config['checks']['dns-forwarders']>;
  readonly placementConfig?: Partial<Config['checks']['coredns-placement']>;
  readonly hostServers?: readonly string[];
  readonly kubelet?: Resolvers['kubelet'];
  readonly leased?: readonly string[];
  readonly hostFamilies?: readonly ('ipv4' | 'ipv6')[];
  readonly packaged?: Partial<Packaged>;
  readonly coreDns?: Partial<CoreDns>;
  readonly pods?: readonly Partial<CoreDnsPod>[];
  readonly version?: readonly number[] | undefined;
  /** What CoreDNS says itself, by the address of each pod; undefined: it is not reached. */
  readonly world?: Readonly<Record<string, Behaviour>> | 'not-reached';
  readonly metrics?: 'none' | 'no-hash';
  readonly presence?: Presence;
  readonly nodes?: ClusterNodes;
  readonly isServerCordoned?: boolean;
}

const node = (name: string, controlPlane: boolean): NodeFacts =>
  ({
    name,
    ready: true,
    internalAddresses: [],
    externalAddresses: [],
    podCidrs: [],
    labels: {},
    taints: [],
    unschedulable: false,
    controlPlane,
  }) as unknown as NodeFacts;

const server = node('main', true);
const worker = node('worker', false);

const pod: CoreDnsPod = {
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

const serviceAddress = '10.43.0.10';
const configPath = '/api/v1/namespaces/kube-system/configmaps/coredns';

/** Runs the check on that cluster, with some things changed. */
export function diagnose(changes: Changes = {}): Promise<Diagnosis> {
  return dnsForwarders.run(contextOf(changes));
}

/** The only finding, which is planned to be repaired, and its steps. */
export async function repair(changes: Changes): Promise<{ finding: Finding; steps: readonly Step[] }> {
  const diagnosis = await diagnose(changes);
  const planned = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'planned');
  const [finding] = planned;
  if (!finding || planned.length > 1) throw new Error(JSON.stringify(diagnosis.findings, undefined, 2));
  return { finding, steps: diagnosis.plan(() => true).steps };
}

/** The Corefile and coredns-custom as they are when the steps have been taken. */
export function takeSteps(changes: Changes, steps: readonly Step[]): Changes {
  let { corefile = oldCorefile(), custom = {} } = changes;
  for (const step of steps) {
    if (step.kind === 'config-map-key' && step.value !== null) custom = { ...custom, [step.key]: step.value };
    if (step.kind === 'kube-patch') corefile = String(step.fields[0]?.value);
  }
  return { ...changes, corefile, custom };
}

function contextOf(changes: Changes): FactContext {
  const pods = (changes.pods ?? [{}]).map((each) => ({ ...pod, ...each }));
  const { network = {}, podNetwork } = changes;
  const config = defaultConfig();
  const values = new Map<string, unknown>([
    [presenceFact.id, changes.presence ?? { kind: 'present' }],
    [coreDnsFact.id, coreDnsOf(changes, pods)],
    [resolversFact.id, resolversOf(changes)],
    [
      localCoreDnsFact.id,
      {
        processes: podNetwork
          ? [
              {
                pid: 4711,
                pod: pods[0]?.name,
                resolvConf: resolvConf('/etc/resolv.conf', changes.hostServers),
              },
            ]
          : [],
      },
    ],
    [coreDnsMetricsFact.id, metricsOf(changes, pods)],
    [packagedFact.id, { ...packaged, ...changes.packaged }],
    [
      clusterNodesFact.id,
      changes.nodes ?? {
        kind: 'known',
        nodes: [{ ...server, unschedulable: changes.isServerCordoned ?? false }, worker],
        self: server,
        source: 'k3s.yaml',
      },
    ],
    [clusterAnswersFact.id, clusterAnswersOf(changes, pods)],
  ]);
  // A network of other answers than a table's would be this machine's own.
  const host: Partial<FactContext['host']> = {
    now: () => new Date(0),
    askDns: async (questions, process) =>
      questions.map((question) => answerOf(process === undefined ? network : (podNetwork ?? {}), question)),
    localAddresses: async (family) =>
      (changes.hostFamilies ?? ['ipv4']).includes(family) ? ['203.0.113.10'] : [],
  };
  const context = createFactContext(
    new Proxy(host, {
      get: (known, name: keyof typeof host) =>
        known[name] ?? (() => Promise.reject(new Error(`nobody should use ${name}`))),
    }) as FactContext['host'],
    {
      ...config,
      checks: {
        ...config.checks,
        'dns-forwarders': { ...config.checks['dns-forwarders'], ...changes.config },
        'coredns-placement': { ...config.checks['coredns-placement'], ...changes.placementConfig },
      },
    },
  );
  const real = context.get;
  const get = <T>(fact: Fact<T>): Promise<T> =>
    values.has(fact.id) ? Promise.resolve(values.get(fact.id) as T) : real(fact);
  return Object.assign(context, { get });
}

function coreDnsOf(
  { corefile = oldCorefile(), custom, ...changes }: Changes,
  pods: readonly CoreDnsPod[],
): CoreDns {
  return {
    deployment: {
      kind: 'known',
      value: {
        path: '/apis/apps/v1/namespaces/kube-system/deployments/coredns',
        replicas: pods.length,
        available: pods.length,
        nodeSelector: undefined,
        affinity: undefined,
        tolerations: [],
        image: 'rancher/mirrored-coredns-coredns:1.12.3',
        version: 'version' in changes ? changes.version : [1, 12, 3],
      },
    },
    pods: { kind: 'known', value: pods },
    config: {
      kind: 'known',
      value: { path: configPath, data: { Corefile: corefile, NodeHosts: '203.0.113.10 main\n' } },
    },
    custom: custom
      ? { kind: 'known', value: { path: `${configPath}-custom`, data: custom } }
      : { kind: 'absent' },
    service: { kind: 'known', value: [serviceAddress] },
    ...changes.coreDns,
  };
}

const packaged: Packaged = {
  isServer: true,
  folder: '/var/lib/rancher/k3s/server/manifests',
  manifest: undefined,
  corefile: undefined,
  isSkipped: false,
  ownManifest: null,
  ownResolvConf: null,
  ownDropIn: null,
  isDisabled: false,
};

function resolversOf({ hostServers, kubelet, leased = [] }: Changes): Resolvers {
  const host = resolvConf('/etc/resolv.conf', hostServers);
  return {
    host,
    resolved: { kind: 'absent', path: '/run/systemd/resolve/resolv.conf' },
    kubelet: kubelet ?? { kind: 'known', by: 'host', from: undefined, conf: host },
    leased: leased.map((address) => ({ address, file: '/run/systemd/netif/leases/2' })),
  };
}

export function resolvConf(path: string, nameservers: readonly string[] = []): ResolvConf {
  return { kind: 'read', path, nameservers, unfit: undefined };
}

function metricsOf({ metrics }: Changes, pods: readonly CoreDnsPod[]): unknown {
  if (metrics === 'none') {
    return new Map(pods.map(({ address }) => [address, { kind: 'unavailable', reason: 'refused' }]));
  }
  const configHash = metrics === 'no-hash' ? undefined : 'abc';
  return new Map(
    pods.map(({ address }) => [address, { kind: 'read', metrics: { reloadsFailed: 0, configHash } }]),
  );
}

/** Of the world nothing is known as long as nothing is said, so that only servers are judged. */
function clusterAnswersOf({ world = {} }: Changes, pods: readonly CoreDnsPod[]): unknown {
  if (world === 'not-reached') {
    const silent = pods.map(({ address = '' }) => [address, serverAnswer(address, 'silent')] as const);
    return {
      cluster: new Map([...silent, [serviceAddress, serverAnswer(serviceAddress, 'silent')]]),
      world: new Map(),
    };
  }
  const addresses = pods.map(({ address = '' }) => address);
  return {
    cluster: new Map([...addresses, serviceAddress].map((each) => [each, serverAnswer(each, 'answers')])),
    world: new Map(Object.entries(world).map(([each, deed]) => [each, serverAnswer(each, deed)])),
  };
}

function serverAnswer(address: string, behaviour: Behaviour): ServerAnswer {
  const tried = (protocol: Protocol): Tried => {
    const deed = deedOf(behaviour, protocol);
    const verdict = deed === 'answers' ? 'answers' : deed === 'servfail' ? 'servfail' : 'timed-out';
    return { verdict, tries: 1, elapsedMs: undefined, detail: verdict };
  };
  return { server: address, port: 53, byProtocol: { udp: tried('udp'), tcp: tried('tcp') } };
}

function deedOf(behaviour: Behaviour, protocol: Protocol): Deed {
  return typeof behaviour === 'string' ? behaviour : (behaviour[protocol] ?? 'silent');
}

function answerOf(network: Readonly<Record<string, Behaviour>>, question: DnsQuestion): DnsAnswer {
  const { server, protocol, timeoutMs } = question;
  const said = (code: string, elapsedMs = 4, truncated = false): DnsAnswer => ({
    kind: 'answered',
    code,
    records: code === 'NOERROR' ? ['203.0.113.80'] : [],
    truncated,
    elapsedMs,
  });
  switch (deedOf(network[server] ?? 'silent', protocol)) {
    case 'answers':
      return said('NOERROR');
    case 'slow':
      return said('NOERROR', 1_400);
    case 'late':
      return said('NOERROR', 80);
    case 'cut':
      return said('NOERROR', 4, protocol === 'udp');
    case 'says-none':
      return said('NXDOMAIN');
    case 'servfail':
      return said('SERVFAIL');
    case 'refused':
      return said('REFUSED');
    case 'rejected':
      return { kind: 'blocked', reason: 'ICMP port unreachable' };
    case 'forbidden':
      return { kind: 'blocked', reason: "this machine's own firewall does not let it out (EPERM)" };
    case 'wrong':
      return { kind: 'wrong-answer', reason: 'its id was another one' };
    case 'silent':
      return { kind: 'timed-out', timeoutMs };
  }
}
