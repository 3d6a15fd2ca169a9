import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Answer, Failure, Limits } from './answer.ts';
import { describeConnectionError, describeStatus } from './failure-reasons.ts';

/**
 * One GET. `options` carry credentials, trust and agent. An answer other than 200 is a failure; a
 * redirect is not followed, so credentials go nowhere but to the server that the kubeconfig names.
 */
export async function httpsGet(url: URL, options: RequestOptions, limits: Limits): Promise<Answer> {
  try {
    const response = await send(url, options, limits.signal);
    const body = await readBody(response, limits.maxBytes - (limits.usedBytes ?? 0));
    if (body === undefined) return tooLarge(url, limits);
    const status = response.statusCode ?? 0;
    return status === 200 ? { kind: 'ok', body } : describeStatus({ status, body, url });
  } catch (error) {
    const failure = limits.signal.aborted ? timedOut(url, limits) : describeConnectionError(error, url);
    if (failure === undefined) throw error;
    return failure;
  }
}

function send(url: URL, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, accept: 'application/json', 'user-agent': 'k3s-doctor' };
    const sent = request({ ...urlToHttpOptions(url), ...options, headers, signal, method: 'GET' });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end();
  });
}

/** `undefined` when there is more than `maxBytes`. */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}

function tooLarge(url: URL, limits: Limits): Failure {
  const reason = `${url.host} answered more than ${limits.maxBytes / 1024 / 1024} MiB`;
  return { kind: 'failed', reason, tryNext: false };
}

function timedOut(url: URL, limits: Limits): Failure {
  return {
    kind: 'failed',
    reason: `${url.host} did not answer in ${limits.timeoutMs / 1000} s`,
    tryNext: false,
  };
}
