import type { Fact, FactContext } from '../../engine/fact.ts';
import { type CoreDnsPod, coreDnsFact } from './coredns.ts';
import { coreDnsMetricsFact } from './metrics.ts';
import { plain } from './plain.ts';

/** What CoreDNS itself says about why it halted, or does not load what is configured. */
export interface LogSigns {
  /** The words of plugin `loop`: a question came back to CoreDNS, and it halted. */
  readonly loop: string | undefined;
  /** The last thing it said about its configuration. */
  readonly configuration:
    | { readonly kind: 'loaded' }
    /** It refused what is configured: as it started, or while it ran with an older one. */
    | { readonly kind: 'refused'; readonly reason: string }
    | undefined;
}

/** By the name of the pod; only of those that something is wrong with. */
export type PodLogs = ReadonlyMap<
  string,
  | { readonly kind: 'read'; readonly signs: LogSigns }
  | { readonly kind: 'unavailable'; readonly reason: string }
>;

/**
 * The end of the log of each pod that halts again and again, or counts failed reloads. CoreDNS leaves no
 * message for the API when it dies, so its log alone has the reason.
 */
export const podLogsFact: Fact<PodLogs> = {
  id: 'coredns-logs',
  async gather(context) {
    const { pods } = await context.get(coreDnsFact);
    if (pods.kind !== 'known') return new Map();
    const metrics = await context.get(coreDnsMetricsFact);
    const hasFailed = ({ address }: CoreDnsPod) => {
      const read = metrics.get(address ?? '');
      return read?.kind === 'read' && (read.metrics.reloadsFailed ?? 0) > 0;
    };
    const wanted = pods.value
      .filter(({ isEnding }) => !isEnding)
      .filter((pod) => halts(pod) || hasFailed(pod));
    const logs = wanted
      .filter(({ name }) => /^[\w.-]+$/.test(name))
      .slice(0, mostLogs)
      .map(async (pod) => [pod.name, await readLog(context, pod)] as const);
    return new Map(await Promise.all(logs));
  },
};

const mostLogs = 5;
const longest = 300;

/** Its log is then that of the container before. */
function halts({ ready, restarts, waiting }: CoreDnsPod): boolean {
  return waiting === 'CrashLoopBackOff' || (!ready && restarts > 0);
}

type PodLog = PodLogs extends ReadonlyMap<string, infer T> ? T : never;

async function readLog({ host }: FactContext, pod: CoreDnsPod): Promise<PodLog> {
  const previous = halts(pod) ? '&previous=true' : '';
  const container = '&container=coredns';
  const path = `/api/v1/namespaces/kube-system/pods/${pod.name}/log?tailLines=1000${container}${previous}`;
  const answer = await host.kubeGet(path);
  if (answer.kind === 'ok') return { kind: 'read', signs: readSigns(answer.body) };
  const reason = answer.status === 403 ? 'needs: get pods/log in kube-system' : answer.reason;
  return { kind: 'unavailable', reason };
}

/** What is said last holds. */
export function readSigns(log: string): LogSigns {
  let loop: string | undefined;
  let configuration: LogSigns['configuration'];
  for (const line of log.split('\n')) {
    const looped = /\[FATAL\] plugin\/loop: (.*)/.exec(line)?.[1];
    if (looped !== undefined) loop = plain(looped, longest);
    if (/\[INFO\] (Reloading complete|plugin\/reload: Running configuration)/.test(line)) {
      configuration = { kind: 'loaded' };
    }
    const reason = refusalOf(line);
    if (reason !== undefined) configuration = { kind: 'refused', reason: plain(reason, longest) };
  }
  return { loop, configuration };
}

/** While it runs, by plugin `reload`; as it starts, a bare line without a level, and the last one. */
function refusalOf(line: string): string | undefined {
  const [, reload] =
    /plugin\/reload: Corefile (?:changed but reload|parse) failed: (?:starting with listener file descriptors: )?(.*)/.exec(
      line,
    ) ?? [];
  if (reload !== undefined) return reload;
  const isStart = /^(plugin\/\w+: |\S+:\d+ - (Error during parsing|Syntax error): |cannot serve )/;
  return isStart.test(line) ? line : undefined;
}
