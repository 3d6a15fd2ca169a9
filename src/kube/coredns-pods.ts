import { z } from 'zod';
import { servesDns } from './coredns-objects.ts';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

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
    | {
        readonly reason: string | undefined;
        readonly exitCode: number;
        readonly message: string | undefined;
        /** When it ended. */
        readonly at?: Date | undefined;
      }
    | undefined;
  /** Without `containerd://`. */
  readonly containerId: string | undefined;
  /** Why it cannot be placed, as its condition PodScheduled says. */
  readonly unschedulable: string | undefined;
}

export type ParsedPods =
  | { readonly kind: 'parsed'; readonly pods: readonly CoreDnsPod[] }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads a list of pods that serve DNS. What a pod does not say it is not. */
export function parseCoreDnsPods(body: string): ParsedPods {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = z.object({ items: z.array(podSchema()).nullable() }).safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  return { kind: 'parsed', pods: (parsed.data.items ?? []).map(readPod) };
}

function readPod({ metadata, spec, status }: PodObject): CoreDnsPod {
  const conditions = status?.conditions ?? [];
  const unplaced = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const container = servesDns(status?.containerStatuses ?? []);
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  const waiting = container?.state?.waiting;
  return {
    name: metadata.name,
    node: spec?.nodeName || undefined,
    address: status?.podIP || undefined,
    phase: status?.phase ?? 'Unknown',
    ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isEnding: Boolean(metadata.deletionTimestamp),
    restarts: container?.restartCount ?? 0,
    waiting: waiting ? waiting.reason || 'waiting' : undefined,
    lastTermination: ended
      ? {
          reason: ended.reason || undefined,
          exitCode: ended.exitCode,
          message: ended.message?.trim() || undefined,
          at: readTime(ended.finishedAt),
        }
      : undefined,
    containerId: container?.containerID?.replace(/^[a-z-]+:\/\//, '') || undefined,
    unschedulable: unplaced && (unplaced.message || unplaced.reason || 'no reason is given'),
  };
}

/** Null and the year 1 stand for no time. */
function readTime(text: string | null | undefined): Date | undefined {
  const at = Date.parse(text ?? '');
  return at > 0 ? new Date(at) : undefined;
}

type PodObject = z.output<ReturnType<typeof podSchema>>;

/** Every field that Go may leave out it may also print as null. */
function podSchema() {
  const text = z.string().nullish();
  const state = z
    .object({
      waiting: z.object({ reason: text }).nullish(),
      terminated: z.object({ reason: text, exitCode: z.int(), message: text, finishedAt: text }).nullish(),
    })
    .nullish();
  const container = z.object({
    name: z.string(),
    image: z.string().optional().default(''),
    restartCount: z.int().nullish(),
    containerID: text,
    state,
    lastState: state,
  });
  const condition = z.object({ type: z.string(), status: z.string(), reason: text, message: text });
  return z.object({
    metadata: z.object({ name: z.string(), deletionTimestamp: text }),
    spec: z.object({ nodeName: text }).nullish(),
    status: z
      .object({
        phase: z.string().optional(),
        podIP: text,
        conditions: z.array(condition).nullish(),
        containerStatuses: z.array(container).nullish(),
      })
      .nullish(),
  });
}
