import type { Host } from '../../host/host.ts';
import type { CoreDnsBefore } from '../step.ts';
import { type Metrics, readMetrics } from './coredns-metrics.ts';
import { isPodGone, listPods, type PodState } from './pods.ts';
import { holds, notYet, type Seen } from './seen.ts';

/**
 * Looks at the same pods again and again.
 *
 * CoreDNS tells a hash from its first reload on, none before and none while it reloads; and it tells that
 * of a configuration, too, that it could not load: only the count of failures says so. A pod that began
 * after the first look has read the new configuration at once, and may never tell a hash.
 */
export function watchReload(pods: readonly CoreDnsBefore[], host: Host): () => Promise<Seen> {
  const successors = new Successors(pods, host);
  return async () => {
    await successors.remember();
    const seen = await Promise.all(pods.map((pod) => lookAtPod(pod, host)));
    const [gone] = pods.filter((_, index) => seen[index] === 'gone');
    const judged = seen.filter((each) => each !== 'gone');
    if (gone) judged.push(await successors.look(gone.name));
    const find = (kind: Seen['kind']) => judged.find((each) => each.kind === kind);
    return find('never') ?? find('not-yet') ?? holds;
  };
}

async function lookAtPod(before: CoreDnsBefore, host: Host): Promise<Seen | 'gone'> {
  const { name, address } = before;
  const seen = judge(before, await readMetrics(address, host));
  if (seen.kind === 'holds') return seen;
  // What answers at its address may be another pod by now.
  const isGone = await isPodGone(namespace, name, host);
  if (isGone) return 'gone';
  return isGone === undefined && seen.kind === 'never' ? notYet(seen.seen) : seen;
}

/** The pods that are not among those of before. */
class Successors {
  readonly #host: Host;
  readonly #pods: ReadonlySet<string>;
  /** Those that ran at the first look, with what they told first. */
  #old: Map<string, CoreDnsBefore | undefined> | undefined;

  constructor(pods: readonly CoreDnsBefore[], host: Host) {
    this.#host = host;
    this.#pods = new Set(pods.map(({ name }) => name));
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
    const now = await readMetrics(address, this.#host);
    if (now.kind === 'unread') return notYet(`pod ${name}: ${now.reason}`);
    const first = { name, address, hashWas: now.hash, failedWas: now.failed };
    if (!old.has(name)) return now.failed === 0 ? holds : judge({ ...first, failedWas: 0 }, now);
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
