import type { Host } from '../../host/host.ts';
import type { CoreDnsBefore } from '../step.ts';
import { type Metrics, readMetrics } from './coredns-metrics.ts';
import { listPods, lookAtPod, type PodState } from './pods.ts';
import { holds, notYet, type Seen } from './seen.ts';

/**
 * Looks at the same pods again and again.
 *
 * CoreDNS tells a hash from its first reload on, none before and none while it reloads; and it tells that
 * of a configuration, too, that it could not load: only the count of failures says so. A pod that began
 * after the first look has read the new configuration at once, and may never tell a hash; nor does a container
 * that was started anew.
 */
export function watchReload(pods: readonly CoreDnsBefore[], host: Host): () => Promise<Seen> {
  const successors = new Successors(pods, host);
  return async () => {
    await successors.remember();
    const seen = await Promise.all(pods.map((pod) => lookAgain(pod, host)));
    const [gone] = pods.filter((_, index) => seen[index] === 'gone');
    const judged = seen.filter((each) => each !== 'gone');
    if (gone) judged.push(await successors.look(gone.name));
    const find = (kind: Seen['kind']) => judged.find((each) => each.kind === kind);
    return find('never') ?? find('not-yet') ?? holds;
  };
}

async function lookAgain(before: CoreDnsBefore, host: Host): Promise<Seen | 'gone'> {
  const { name, containerWas } = before;
  const metrics = await readMetrics(before, host);
  const seen = judge(before, metrics);
  if (seen.kind === 'holds') return seen;
  // What answers at its address may be another pod by now.
  const pod = await lookAtPod(namespace, name, host);
  if (pod === 'gone') return 'gone';
  if (pod === undefined) return seen.kind === 'never' ? notYet(seen.seen) : seen;
  const isAnew = containerWas !== undefined && pod.isReady && !pod.containers.includes(containerWas);
  return isAnew ? judgeAnew(before, metrics) : seen;
}

/** It counts from 0, and has read at its start what there was to be read. */
function judgeAnew(before: CoreDnsBefore, now: Metrics): Seen {
  if (now.kind === 'read' && now.failed === 0) return holds;
  return judge({ ...before, failedWas: 0 }, now);
}

/** The pods that are not among those of before. */
class Successors {
  readonly #host: Host;
  readonly #pods: ReadonlySet<string>;
  readonly #port: Pick<CoreDnsBefore, 'metricsPort'>;
  /** Those that ran at the first look, with what they told first. */
  #old: Map<string, CoreDnsBefore | undefined> | undefined;

  constructor(pods: readonly CoreDnsBefore[], host: Host) {
    this.#host = host;
    this.#pods = new Set(pods.map(({ name }) => name));
    const port = pods[0]?.metricsPort;
    this.#port = port === undefined ? {} : { metricsPort: port };
  }

  async remember(): Promise<void> {
    if (this.#old) return;
    const pods = await this.#list();
    this.#old =
      pods && new Map(pods.filter(({ isRunning }) => isRunning).map(({ name }) => [name, undefined]));
  }

  async look(gone: string): Promise<Seen> {
    const pods = await this.#list();
    if (!pods || !this.#old) return notYet(`pod ${gone} is gone, and the others cannot be listed`);
    const ready = pods.filter(({ isReady }) => isReady);
    if (ready.length === 0) return notYet(`pod ${gone} is gone, and no other is ready${whoIsNot(pods)}`);
    for (const pod of ready) {
      const seen = await this.#judge(pod, this.#old);
      if (seen.kind !== 'holds') return seen;
    }
    return holds;
  }

  async #judge({ name, address }: PodState, old: Map<string, CoreDnsBefore | undefined>): Promise<Seen> {
    if (address === undefined) return notYet(`pod ${name} has no address`);
    const where = { address, ...this.#port };
    const now = await readMetrics(where, this.#host);
    if (now.kind === 'unread') return notYet(`pod ${name}: ${now.reason}`);
    const first = { name, ...where, hashWas: now.hash, failedWas: now.failed };
    if (!old.has(name)) return judgeAnew(first, now);
    const before = old.get(name) ?? first;
    old.set(name, before);
    return judge(before, now);
  }

  async #list(): Promise<readonly PodState[] | undefined> {
    const pods = await listPods(namespace, { 'k8s-app': 'kube-dns' }, this.#host);
    return pods?.filter(({ name, isGoing }) => !this.#pods.has(name) && !isGoing);
  }
}

function whoIsNot([pod]: readonly PodState[]): string {
  return pod ? `: pod ${pod.name} is ${pod.detail}` : '';
}

function judge({ name, hashWas, failedWas }: CoreDnsBefore, now: Metrics): Seen {
  if (now.kind === 'unread') return notYet(`pod ${name}: ${now.reason}`);
  if (now.failed > failedWas) {
    const count = `coredns_reload_failed_total was ${failedWas} and is ${now.failed}`;
    return {
      kind: 'never',
      seen: `pod ${name} could not load the new configuration and goes on with the old one (${count})`,
    };
  }
  if (now.hash !== '' && now.hash !== hashWas) return holds;
  return notYet(`pod ${name} still runs the configuration of before`);
}

const namespace = 'kube-system';
