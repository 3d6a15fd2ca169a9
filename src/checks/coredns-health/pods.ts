import { count } from '../../engine/count.ts';
import type { Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import type { CoreDnsPod } from '../../facts/dns/coredns.ts';
import { type Judge, podsOf, problem, type Seen } from './seen.ts';

/** Whether there are pods that answer, as many as there are to be. */
export const judgeReadiness: Judge = (seen) => {
  const { deployment, pods } = seen.coreDns;
  const wanted = deployment.kind === 'known' ? deployment.value.replicas : undefined;
  if (wanted === 0) {
    const todo = 'kubectl -n kube-system scale deployment coredns --replicas=1';
    return [notReady('error', 'CoreDNS is scaled to no replica: pods resolve no name', [], todo)];
  }
  if (pods.kind !== 'known') {
    if (deployment.kind !== 'known') return [];
    return judgeCounts(deployment.value.available, deployment.value.replicas, []);
  }
  const running = podsOf(seen);
  const ready = running.filter((pod) => pod.ready).length;
  return judgeCounts(
    ready,
    wanted ?? running.length,
    running.filter((pod) => !pod.ready),
  );
};

function judgeCounts(ready: number, wanted: number, others: readonly CoreDnsPod[]): readonly Finding[] {
  if (ready >= Math.max(1, wanted)) return [];
  const why = others.slice(0, 3).map((pod) => ` · pod ${pod.name}: ${stateOf(pod)}`);
  const left = others.length > 3 ? ` · and ${others.length - 3} more` : '';
  const evidence = others.map((pod) => ({
    source: `pod ${pod.name}`,
    observed: stateOf(pod),
    expected: 'ready',
  }));
  const todo = 'kubectl -n kube-system describe pods -l k8s-app=kube-dns';
  if (ready === 0) {
    const message = `no pod of CoreDNS is ready: pods resolve no name${why.join('')}${left}`;
    return [notReady('error', message, evidence, todo)];
  }
  const message = `${ready} of ${count(wanted, 'pod')} of CoreDNS ${ready === 1 ? 'is' : 'are'} ready${why.join('')}${left}`;
  return [notReady('warning', message, evidence, todo)];
}

function notReady(
  severity: 'error' | 'warning',
  message: string,
  evidence: Finding['evidence'],
  todo: string,
): Finding {
  const effect = severity === 'error' ? 'loses' : 'idle';
  const subject = 'Deployment coredns';
  return problem({ code: 'coredns-not-ready', subject, severity, message, effect, evidence }, todo);
}

function stateOf({ unschedulable, waiting, phase, node, lastTermination }: CoreDnsPod): string {
  if (unschedulable !== undefined) return `cannot be placed (${oneLine(unschedulable, 200)})`;
  const where = node === undefined ? '' : ` on ${oneLine(node)}`;
  if (waiting !== undefined) {
    const ended = lastTermination === undefined ? '' : `, ended with ${endOf(lastTermination)}`;
    return `${oneLine(waiting)}${where}${ended}`;
  }
  return phase === 'Running' ? `runs${where}, and is not ready` : `${oneLine(phase)}${where}`;
}

function endOf({ reason, exitCode }: NonNullable<CoreDnsPod['lastTermination']>): string {
  return `exit code ${exitCode}${reason === undefined || reason === 'Error' ? '' : ` (${oneLine(reason)})`}`;
}

const dayMs = 24 * 60 * 60 * 1000;
const manyRestarts = 5;

/** A restart long ago says nothing; many, or one within a day, do. */
export const judgeRestarts: Judge = (seen) =>
  podsOf(seen).flatMap((pod): readonly Finding[] => {
    const { name, restarts, lastTermination } = pod;
    if (restarts === 0 || !(isRecent(pod, seen) || restarts >= manyRestarts)) return [];
    const end = lastTermination === undefined ? '' : `, the last time with ${endOf(lastTermination)}`;
    const when = lastTermination?.at === undefined ? '' : ` at ${lastTermination.at.toISOString()}`;
    const said = lastTermination?.message;
    const isMemory = lastTermination?.reason === 'OOMKilled';
    return [
      problem(
        {
          code: 'coredns-restarts',
          subject: `pod ${name}`,
          severity: 'warning',
          message: `pod ${name} of CoreDNS was restarted ${restarts === 1 ? 'once' : `${restarts} times`}${end}${when}`,
          effect: 'idle',
          evidence: [
            { source: `pod ${name}`, observed: `restartCount ${restarts}`, expected: '0' },
            ...(said === undefined ? [] : [{ source: 'its last words', observed: oneLine(said, 300) }]),
          ],
        },
        isMemory
          ? 'it needs more memory than its limit allows: look for pods that ask without end, then raise the limit'
          : `kubectl -n kube-system logs ${name} --previous`,
      ),
    ];
  });

function isRecent({ lastTermination }: CoreDnsPod, { now }: Seen): boolean {
  const at = lastTermination?.at;
  return at !== undefined && now.getTime() - at.getTime() < dayMs;
}
