import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Answer, Failure, Limits } from './answer.ts';
import { describeConnectionError, describeStatus } from './failure-reasons.ts';

export interface Question {
  readonly url: URL;
  /** What is to be changed; without it it is a GET. */
  readonly change?: SentChange;
}

export interface SentChange {
  readonly method: 'PATCH' | 'DELETE';
  readonly contentType: string;
  readonly body: string;
}

/**
 * One request. `options` carry credentials, trust and agent. An answer beyond 2xx is a failure; a
 * redirect is not followed, so credentials go nowhere but to the server that the kubeconfig names.
 */
export async function httpsRequest(
  question: Question,
  options: RequestOptions,
  limits: Limits,
): Promise<Answer> {
  const { url } = question;
  let mayHaveArrived = false;
  try {
    const response = await send(question, { ...options, signal: limits.signal }, () => {
      mayHaveArrived = true;
    });
    const body = await readBody(response, limits.maxBytes - (limits.usedBytes ?? 0));
    if (body === undefined) return { ...tooLarge(url, limits), mayHaveArrived };
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return { kind: 'ok', body };
    const failure = describeStatus({ status, body, method: methodOf(question), url });
    const retryAfterMs = retryAfter(response);
    return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
  } catch (error) {
    const failure = limits.signal.aborted ? timedOut(url, limits) : describeConnectionError(error, url);
    if (failure === undefined) throw error;
    return { ...failure, mayHaveArrived };
  }
}

/** `onConnected`: the server is trusted, and from here on the request is on its way. */
function send(
  question: Question,
  options: RequestOptions,
  onConnected: () => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { url, change } = question;
    const headers = {
      ...options.headers,
      accept: 'application/json',
      'user-agent': 'k3s-doctor',
      ...(change !== undefined && {
        'content-type': change.contentType,
        'content-length': Buffer.byteLength(change.body),
      }),
    };
    const sent = request({ ...urlToHttpOptions(url), ...options, headers, method: methodOf(question) });
    sent.on('socket', (socket) => {
      // `secureConnecting` is documented nowhere, but it is how Node's own client tells.
      const isOpen = !('secureConnecting' in socket) || socket.secureConnecting !== true;
      if (isOpen) onConnected();
      else socket.once('secureConnect', onConnected);
    });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(change?.body);
  });
}

function methodOf({ change }: Question): 'GET' | SentChange['method'] {
  return change?.method ?? 'GET';
}

/** Only of an answer that says that nothing was done: 429. The API server gives whole seconds. */
function retryAfter({ statusCode, headers }: IncomingMessage): number | undefined {
  const seconds = headers['retry-after'] ?? '';
  return statusCode === 429 && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
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
