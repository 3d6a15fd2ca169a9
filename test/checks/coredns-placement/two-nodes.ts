import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { corednsPlacement } from '../../../src/checks/coredns-placement/check.ts';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { parseCorefile } from '../../../src/coredns/corefile.ts';
import { resolveForwards } from '../../../src/coredns/forwards.ts';
import type { Diagnosis } from '../../../src/engine/check.ts';
import type { Fact, FactContext } from '../../../src/engine/fact.ts';
import { type ClusterNodes, clusterNodesFact, type NodeFacts } from '../../../src/facts/cluster-nodes.ts';
import { clusterAnswersFact } from '../../../src/facts/dns/cluster-answers.ts';
import {
  type CoreDns,
  type CoreDnsDeployment,
  type CoreDnsPod,
  coreDnsFact,
} from '../../../src/facts/dns/coredns.ts';
import { coreDnsOverlayFact } from '../../../src/facts/dns/coredns-overlay.ts';
import { type LiveCorefile, liveCorefileFact } from '../../../src/facts/dns/corefile.ts';
import { manifestEditorFact } from '../../../src/facts/dns/manifest-editor.ts';
import { type Packaged, packagedFact } from '../../../src/facts/dns/packaged.ts';
import { placementFact } from '../../../src/facts/dns/placement.ts';
import { presenceFact } from '../../../src/facts/dns/presence.ts';
import type { ServerAnswer, Tried } from '../../../src/facts/dns/server-answer.ts';
import { kubeComponentsFact } from '../../../src/facts/kube-components.ts';
import { type OverlayAnswer, overlayAnswersFact } from '../../../src/facts/overlay.ts';
import { parseConfigMap } from '../../../src/kube/config-map.ts';
import { coreDnsConfigPath, parseCoreDnsDeployment } from '../../../src/kube/coredns-objects.ts';
import { parseCoreDnsPods } from '../../../src/kube/coredns-pods.ts';
import { parseNodes } from '../../../src/kube/nodes.ts';

/**
 * The recorded cluster: one server, one worker, CoreDNS on the worker. What the API says is what a real
 * one said; what DNS servers and pings answer is made up, as nobody was there to be asked.
 */
const fixtures = join(import.meta.dirname, '../../../fixtures/coredns-on-unreachable-node');
const read = (name: string) => readFileSync(join(fixtures, name), 'utf8');

const parsedNodes = parseNodes(read('nodes.json'));
const parsedDeployment = parseCoreDnsDeployment(read('deployment.json'));
const parsedPods = parseCoreDnsPods(read('pods.json'));
const parsedConfig = parseConfigMap(read('coredns.json'));
if (
  parsedNodes.kind !== 'parsed' ||
  parsedDeployment.kind !== 'parsed' ||
  parsedPods.kind !== 'parsed' ||
  parsedConfig.kind !== 'parsed'
) {
  throw new Error('the recording cannot be read');
}
export const [worker, server] = parsedNodes.nodes as [NodeFacts, NodeFacts];
export const deployment: CoreDnsDeployment = parsedDeployment.deployment;
export const [pod] = parsedPods.pods as [CoreDnsPod];
export const configMap = { path: coreDnsConfigPath, data: parsedConfig.data };
export const corefile = configMap.data['Corefile'] ?? '';

export const serverName = 'ubuntu-2404-noble-amd64-base';
export const workerName = 'aws-worker-1';
/** Where the recorded pod is, and where a pod on the server would be. */
export const onWorker = '10.42.1.5';
export const onServer = '10.42.0.7';
export const service = '10.43.0.11';

export function podAt(name: string, node: string | undefined, address?: string): CoreDnsPod {
  return { ...pod, name, node, address };
}

/** Another server, as like the first as can be. */
export function anotherServer(name: string, subnet: number, changes: Partial<NodeFacts> = {}): NodeFacts {
  const labels = { ...server.labels, 'kubernetes.io/hostname': name };
  return { ...server, name, podCidrs: [`10.42.${subnet}.0/24`], labels, ...changes };
}

export interface Changes {
  readonly nodes?: readonly NodeFacts[];
  /** By name; null: none of them. Default: the server. */
  readonly self?: string | null;
  readonly pods?: readonly CoreDnsPod[];
  readonly deployment?: Partial<CoreDnsDeployment>;
  readonly coreDns?: Partial<CoreDns>;
  /** By address; others are not asked. */
  readonly answers?: Readonly<Record<string, ServerAnswer>>;
  /** Of the world, through CoreDNS. */
  readonly world?: Readonly<Record<string, ServerAnswer>>;
  /** By the .0 of the node. */
  readonly overlay?: Readonly<Record<string, OverlayAnswer>> | 'not-asked';
  readonly corefile?: LiveCorefile;
  readonly settings?: Partial<Config['checks']['coredns-placement']>;
  readonly packaged?: Partial<Packaged>;
  readonly kubelet?: boolean;
  readonly clusterNodes?: ClusterNodes;
}

const silence: Tried = {
  verdict: 'timed-out',
  tries: 3,
  elapsedMs: undefined,
  detail: 'no answer in 3 tries of 1.5 s',
};
const word: Tried = { verdict: 'answers', tries: 1, elapsedMs: 4, detail: 'answered in 4 ms' };

export function silent(address: string, changes: Partial<Tried> = {}): ServerAnswer {
  const tried = { ...silence, ...changes };
  return { server: address, port: 53, byProtocol: { udp: tried, tcp: tried } };
}

export function answering(address: string, changes: Partial<Tried> = {}): ServerAnswer {
  const tried = { ...word, ...changes };
  return { server: address, port: 53, byProtocol: { udp: tried, tcp: tried } };
}

/** What a server has on its disk where nothing is arranged. */
export const packaged: Packaged = {
  isServer: true,
  folder: '/var/lib/rancher/k3s/server/manifests',
  manifest: undefined,
  corefile,
  isSkipped: false,
  ownManifest: null,
  ownResolvConf: null,
  ownDropIn: null,
  isDisabled: false,
};

export function readCorefile(text: string, files: ReadonlyMap<string, string> = new Map()): LiveCorefile {
  const parsed = parseCorefile(text);
  if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
  const resolved = resolveForwards(parsed.corefile, files);
  if (resolved.kind !== 'resolved') throw new Error(resolved.reason);
  const { forwards, doubts } = resolved;
  return { kind: 'read', corefile: parsed.corefile, files, forwards, doubts, domain: 'cluster.local' };
}

/** Runs the check on the server of the incident: CoreDNS on the worker is silent, as is the overlay to it. */
export async function diagnose(changes: Changes = {}): Promise<Diagnosis> {
  const nodes = changes.nodes ?? [worker, server];
  const self = changes.self === undefined ? serverName : changes.self;
  const answers = changes.answers ?? {
    [onWorker]: silent(onWorker),
    [service]: silent(service),
  };
  const defaults = defaultConfig();
  const settings = { ...defaults.checks['coredns-placement'], ...changes.settings };
  const config = { ...defaults, checks: { ...defaults.checks, 'coredns-placement': settings } };
  const given = new Map<string, unknown>([
    [presenceFact.id, { kind: 'present' }],
    [kubeComponentsFact.id, { kubelet: changes.kubelet ?? true }],
    [
      coreDnsFact.id,
      {
        deployment: { kind: 'known', value: { ...deployment, ...changes.deployment } },
        pods: { kind: 'known', value: changes.pods ?? [pod] },
        config: { kind: 'known', value: configMap },
        custom: { kind: 'absent' },
        service: { kind: 'known', value: [service] },
        ...changes.coreDns,
      } satisfies CoreDns,
    ],
    [
      clusterNodesFact.id,
      changes.clusterNodes ?? {
        kind: 'known',
        nodes,
        self: nodes.find(({ name }) => name === self),
        source: 'k3s.yaml',
      },
    ],
    [
      clusterAnswersFact.id,
      { cluster: new Map(Object.entries(answers)), world: new Map(Object.entries(changes.world ?? {})) },
    ],
    [
      overlayAnswersFact.id,
      changes.overlay === 'not-asked'
        ? { kind: 'not-asked', reason: 'checks.flannel-vtep.probe is off' }
        : { kind: 'asked', answers: new Map(Object.entries(changes.overlay ?? { '10.42.1.0': 'silent' })) },
    ],
    [liveCorefileFact.id, changes.corefile ?? readCorefile(corefile)],
    [packagedFact.id, { ...packaged, ...changes.packaged }],
  ]);
  const host = new Proxy({}, { get: () => () => Promise.reject(new Error('a check has no host')) });
  const context: FactContext = { host: host as FactContext['host'], config, get, ifAsked: () => undefined };
  return corednsPlacement.run(context);

  // These are the real ones.
  function get<T>(fact: Fact<T>): Promise<T>;
  function get(fact: Fact<unknown>): Promise<unknown> {
    if (real.includes(fact.id)) return fact.gather(context);
    return Promise.resolve(given.get(fact.id));
  }
}

const real = [placementFact.id, manifestEditorFact.id, coreDnsOverlayFact.id];

export async function findingsOf(changes: Changes): Promise<readonly string[]> {
  const { findings } = await diagnose(changes);
  return findings.map(
    ({ severity, code, subject, remedy }) => `${severity} ${code} (${subject}): ${remedy.kind}`,
  );
}

/** Of the finding with this code. */
export async function reasonOf(code: string, changes: Changes): Promise<string> {
  const { findings } = await diagnose(changes);
  const found = findings.find((finding) => finding.code === code);
  if (found === undefined) return `no ${code}`;
  return found.remedy.kind === 'planned' ? 'planned' : `${found.remedy.kind}: ${found.remedy.reason}`;
}
