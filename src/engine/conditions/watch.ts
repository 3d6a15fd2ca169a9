import type { Host } from '../../host/host.ts';
import type { Condition } from '../step.ts';
import { metricsUrl } from './coredns-metrics.ts';
import { watchReload } from './coredns-reloaded.ts';
import { lookAtDns, printQuestion } from './dns-answers.ts';
import { lookAtRollout } from './rolled-out.ts';
import type { Seen } from './seen.ts';

/** What is to be called again and again; never throws for what the node or the cluster does. */
export function watch(condition: Condition, host: Host): () => Promise<Seen> {
  switch (condition.kind) {
    case 'rolled-out':
      return () => lookAtRollout(condition.object, host);
    case 'dns-answers':
      return () => lookAtDns(condition, host);
    case 'coredns-reloaded':
      return watchReload(condition.pods, host);
  }
}

/** What is asked, as a person would write it down. */
export function printWhatIsAsked(condition: Condition): string {
  switch (condition.kind) {
    case 'rolled-out':
      return `GET ${condition.object}`;
    case 'dns-answers':
      return `ask ${condition.questions.map(printQuestion).join(', ')}`;
    case 'coredns-reloaded':
      return `GET ${condition.pods.map(metricsUrl).join(', ')}`;
  }
}
