import type { Fact, FactContext } from '../../engine/fact.ts';
import { oneLine } from '../../engine/one-line.ts';
import { type CoreDnsPod, coreDnsFact, isAlive } from './coredns.ts';
import { coreDnsMetricsFact } from './metrics.ts';

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
export type PodLogs = ReadonlyMap<string, PodLog>;

type PodLog =
  | {
      readonly kind: 'read';
      /** Of its container that runs, or of the one before. */
      readonly of: 'present' | 'previous';
      readonly signs: LogSigns;
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

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
    const now = context.host.now();
    const which = (pod: CoreDnsPod): 'present' | 'previous' | undefined => {
      const read = metrics.get(pod.address ?? '');
      const hasFailed = read?.kind === 'read' && (read.metrics.reloadsFailed ?? 0) > 0;
      if (pod.ready && hasFailed) return 'present';
      if (halts(pod, now)) return 'previous';
      return hasFailed ? 'present' : undefined;
    };
    const wanted = pods.value
      .filter((pod) => isAlive(pod) && /^[\w.-]+$/.test(pod.name))
      .flatMap((pod) => {
        const of = which(pod);
        return of === undefined ? [] : { name: pod.name, of };
      })
      .slice(0, mostLogs);
    const logs = wanted.map(async (each) => [each.name, await readLog(context, each)] as const);
    return new Map(await Promise.all(logs));
  },
};

const mostLogs = 5;
const longest = 300;

/** kubelet waits five minutes at most before it starts a container again. */
const longestPauseMs = 6 * 60 * 1000;

/** In between it may be ready for some seconds: a loop is noticed a little later. */
function halts({ ready, restarts, waiting, lastTermination }: CoreDnsPod, now: Date): boolean {
  if (waiting === 'CrashLoopBackOff') return true;
  const endedAt = lastTermination?.at?.getTime() ?? Number.NEGATIVE_INFINITY;
  return restarts > 0 && (!ready || now.getTime() - endedAt < longestPauseMs);
}

async function readLog(
  { host }: FactContext,
  { name, of }: { readonly name: string; readonly of: 'present' | 'previous' },
): Promise<PodLog> {
  const query = `tailLines=1000&container=coredns${of === 'previous' ? '&previous=true' : ''}`;
  const answer = await host.kubeGet(`/api/v1/namespaces/kube-system/pods/${name}/log?${query}`);
  if (answer.kind === 'ok') return { kind: 'read', of, signs: readSigns(answer.body) };
  const reason = answer.status === 403 ? 'needs: get pods/log in kube-system' : answer.reason;
  return { kind: 'unavailable', reason };
}

/** What is said last holds. */
export function readSigns(log: string): LogSigns {
  let loop: string | undefined;
  let configuration: LogSigns['configuration'];
  for (const line of log.split('\n')) {
    const looped = /\[FATAL\] plugin\/loop: (.*)/.exec(line)?.[1];
    if (looped !== undefined) loop = oneLine(looped, longest);
    if (/\[INFO\] (Reloading complete|plugin\/reload: Running configuration)/.test(line)) {
      configuration = { kind: 'loaded' };
    }
    const reason = refusalOf(line);
    if (reason !== undefined) configuration = { kind: 'refused', reason: oneLine(reason, longest) };
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
