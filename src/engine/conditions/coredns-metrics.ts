import { parseCoreDnsMetrics } from '../../coredns/metrics.ts';
import type { Host } from '../../host/host.ts';
import type { CoreDnsBefore } from '../step.ts';

export type Metrics =
  | {
      readonly kind: 'read';
      /** Of the configuration that it loaded last, or tried to; empty: it told none. */
      readonly hash: string;
      /** How often it could not load one. */
      readonly failed: number;
    }
  | { readonly kind: 'unread'; readonly reason: string };

type Where = Pick<CoreDnsBefore, 'address' | 'metricsPort'>;

export async function readMetrics(where: Where, host: Host): Promise<Metrics> {
  const answer = await host.httpGet(metricsUrl(where), timeoutMs);
  if (answer.kind === 'unavailable') return { kind: 'unread', reason: `its metrics: ${answer.reason}` };
  const { configHash = '', reloadsFailed } = parseCoreDnsMetrics(answer.body);
  // It is there from the start: without it this is somebody else's page.
  if (reloadsFailed === undefined) return { kind: 'unread', reason: 'its metrics do not speak of reloading' };
  return { kind: 'read', hash: configHash, failed: reloadsFailed };
}

export function metricsUrl({ address, metricsPort = 9153 }: Where): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${metricsPort}/metrics`;
}

const timeoutMs = 2_000;
