import type { HttpResult } from './host.ts';

export async function httpGet(_url: string, _timeoutMs: number): Promise<HttpResult> {
  return { kind: 'unavailable', reason: 'not built yet' };
}
