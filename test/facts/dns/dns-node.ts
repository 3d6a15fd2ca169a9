import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { createFactContext, type FactContext } from '../../../src/engine/fact.ts';
import type { DnsAnswer, DnsQuestion, KubeResult } from '../../../src/host/host.ts';
import type { RecordingInput } from '../../../src/host/recording-format.ts';
import { type Edits, editedRecording } from '../edited-recording.ts';

export interface DnsNode {
  readonly context: FactContext;
  /** `GET path`, and of each batch of questions `[PID: ]SERVER PROTOCOL NAME TYPE`, joined by ` + `. */
  readonly asked: readonly string[];
}

/** What a server says to a question; `process` is the one from within whose network it is asked. */
export type Network = (question: DnsQuestion, process: number | undefined) => DnsAnswer;

interface Circumstances {
  readonly edits?: Edits;
  readonly network?: Network;
  /** Answers of the API without a body, by path. */
  readonly statuses?: Readonly<Record<string, number>>;
  readonly config?: Config;
}

/** The node of the recording, in a network that is made up: no packet is sent. */
export async function dnsNode({
  edits,
  network,
  statuses = {},
  config,
}: Circumstances = {}): Promise<DnsNode> {
  const node = await editedRecording('coredns-on-unreachable-node', edits);
  const asked: string[] = [];
  const host = {
    ...node,
    async kubeGet(path: string): Promise<KubeResult> {
      asked.push(`GET ${path}`);
      const status = statuses[path];
      return status === undefined
        ? node.kubeGet(path)
        : { kind: 'unavailable', reason: `127.0.0.1:6443 answered ${status}`, status };
    },
    async askDns(questions: readonly DnsQuestion[], process?: number): Promise<readonly DnsAnswer[]> {
      const printed = questions.map(({ server, port = 53, protocol, name, type }) => {
        const place = port === 53 ? server : `${server}:${port}`;
        return `${place} ${protocol} ${name} ${type}`;
      });
      asked.push(`${process === undefined ? '' : `${process}: `}${printed.join(' + ')}`);
      return questions.map((question) => network?.(question, process) ?? silence);
    },
  };
  return { context: createFactContext(host, config ?? defaultConfig()), asked };
}

export const silence: DnsAnswer = { kind: 'timed-out', timeoutMs: 1_500 };

export function answered(code = 'NOERROR', elapsedMs = 4): DnsAnswer {
  return { kind: 'answered', code, records: [], truncated: false, elapsedMs };
}

/** These servers answer, and nobody else does. */
export function onlyAnswering(...servers: readonly string[]): Network {
  return ({ server }) => (servers.includes(server) ? answered() : silence);
}

export const customPath = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';

/** The node with another Corefile. */
export function withCorefile(edit: (corefile: string) => string): Edits {
  return {
    texts: {
      'coredns.json': (text) => {
        const map = JSON.parse(text);
        map.data.Corefile = edit(map.data.Corefile);
        return JSON.stringify(map);
      },
    },
  };
}

/** The node with a ConfigMap `coredns-custom`. */
export function withCustom(data: Readonly<Record<string, string>>): Edits {
  const body = JSON.stringify({ metadata: { name: 'coredns-custom' }, data });
  const others = recorded.kube?.filter(({ path }) => path !== customPath) ?? [];
  return {
    texts: { custom: () => body },
    host: { kube: [...others, { path: customPath, body: 'custom' }] },
  };
}

const recorded: RecordingInput = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/coredns-on-unreachable-node/host.json'), 'utf8'),
);

/** The node with another `forward` in its Corefile. */
export function forwardTo(words: string): Edits {
  return withCorefile((text) => text.replace(/forward \. .*/, `forward ${words}`));
}

/** CoreDNS runs on this node in a network of its own, as process 4711. */
export const runsHere: Edits = {
  texts: { 'pods.json': (text) => text.replaceAll('aws-worker-1', 'ubuntu-2404-noble-amd64-base') },
  add: {
    processes: [{ pid: 4711, name: 'coredns' }],
    files: [
      { path: '/proc/4711/cgroup', text: '0::/kubepods/burstable/pod3763c12d/aa\n' },
      { path: '/proc/4711/root/etc/resolv.conf', text: 'nameserver 192.0.2.7\nnameserver 192.0.2.8\n' },
    ],
  },
};

export function both(one: Edits, other: Edits): Edits {
  return {
    texts: { ...one.texts, ...other.texts },
    host: { ...one.host, ...other.host },
    add: { ...one.add, ...other.add } as Pick<RecordingInput, 'files'>,
  };
}
