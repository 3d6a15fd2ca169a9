import { request } from 'node:http';
import type { HttpResult } from './host.ts';
import { describeNetworkTrouble } from './network-error.ts';
import { systemErrorCode } from './system-error.ts';

const maxBytes = 4 * 1024 * 1024;

/** GET over plain HTTP; an answer other than 200, or a larger one than can be of use, is none. */
export async function httpGet(url: string, timeoutMs: number): Promise<HttpResult> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') return unavailable('not an http URL');
  const { promise, resolve } = Promise.withResolvers<HttpResult>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const settle = (result: HttpResult) => {
    clearTimeout(timer);
    sent.destroy();
    resolve(result);
  };
  const sent = request(url, { agent: false, headers: { 'user-agent': 'k3s-doctor' } }, (response) => {
    const { statusCode } = response;
    if (statusCode !== 200) {
      settle(unavailable(`it answered ${statusCode}`));
      return;
    }
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBytes) settle(unavailable('it answered more than 4 MiB'));
    });
    response.on('end', () => settle({ kind: 'ok', body: Buffer.concat(chunks).toString('utf8') }));
    response.on('error', (error) => settle(unavailable(describe(error))));
  });
  const timer = setTimeout(() => settle(unavailable(`no answer in ${timeoutMs / 1000} s`)), timeoutMs);
  sent.on('error', (error) => settle(unavailable(describe(error))));
  sent.end();
  return promise;
}

function describe(error: unknown): string {
  const code = systemErrorCode(error) ?? '';
  return code.startsWith('HPE_') ? `it does not speak HTTP (${code})` : describeNetworkTrouble(error).reason;
}

function unavailable(reason: string): HttpResult {
  return { kind: 'unavailable', reason };
}
