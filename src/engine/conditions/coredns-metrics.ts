import { parseCoreDnsMetrics } from '../../coredns/metrics.ts';
import type { Host } from '../../host/host.ts';

export type Metrics =
  | {
      readonly kind: 'read';
      /** Of the configuration that it loaded last, or tried to; empty: it told none. */
      readonly hash: string;
      /** How often it could not load one. */
      readonly failed: number;
    }
  | { readonly kind: 'unread'; readonly reason: string };

export async function readMetrics(address: string, host: Host): Promise<Metrics> {
  const answer = await host.httpGet(metricsUrl(address), timeoutMs);
  if (answer.kind === 'unavailable') return { kind: 'unread', reason: `its metrics: ${answer.reason}` };
  const { configHash = '', reloadsFailed } = parseCoreDnsMetrics(answer.body);
  // It is there from the start: without it this is somebody else's page.
  if (reloadsFailed === undefined) return { kind: 'unread', reason: 'its metrics do not speak of reloading' };
  return { kind: 'read', hash: configHash, failed: reloadsFailed };
}

export function metricsUrl(address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:9153/metrics`;
}

const timeoutMs = 2_000;
