import { z } from 'zod';
import type { Failure } from './answer.ts';

/**
 * What went wrong between here and the server, by the code that Node gives it. Messages of such errors
 * are not repeated: they may quote what was sent. `undefined`: not an error of this kind, so a bug.
 */
export function describeConnectionError(error: unknown, url: URL): Failure | undefined {
  const code = errorCode(error);
  if (code === undefined) return undefined;
  const cut = code === 'ECONNRESET' || code === 'EPIPE';
  return { kind: 'failed', reason: connectionReason(code, url), tryNext: !cut && !code.startsWith('HPE_') };
}

/** The `code` of a system, TLS or HTTP error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function connectionReason(code: string, url: URL): string {
  const { host, hostname } = url;
  if (code === 'ECONNREFUSED') return `connection to ${host} refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `host ${hostname} is unknown (${code})`;
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `no route to ${host} (${code})`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `${host} cut the connection`;
  if (code === 'ERR_INVALID_CHAR') return 'its token holds characters that cannot be sent';
  if (code === 'CERT_HAS_EXPIRED') return `the certificate of ${host} has expired`;
  if (code === 'CERT_NOT_YET_VALID') return `the certificate of ${host} is not yet valid`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the certificate of ${host} names other hosts`;
  if (untrusted.test(code)) return `the certificate of ${host} is not trusted (${code})`;
  if (code.startsWith('HPE_')) return `${host} did not answer in HTTP (${code})`;
  return `no conversation with ${host} (${code})`;
}

/** Names of OpenSSL's verification results, as Node reports them. */
const untrusted = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|^CERT_|INVALID_CA|HOSTNAME_MISMATCH/;

/** An answer other than 200, with what the server says about it (Kubernetes sends a `Status`). */
export function describeStatus(answer: {
  readonly status: number;
  readonly body: string;
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly url: URL;
}): Failure {
  const { status, method, url } = answer;
  const said = statusMessage(answer.body) ?? `${method} ${url.pathname}`;
  return {
    kind: 'failed',
    reason: `${url.host} answered ${status}${meanings[status] ?? ''}: ${said}`,
    tryNext: status === 401 || status === 403,
    status,
  };
}

const meanings: Readonly<Record<number, string>> = {
  401: ' (credentials not accepted)',
  403: ' (forbidden)',
  404: ' (not found)',
  409: ' (conflict)',
  410: ' (gone)',
  422: ' (not acceptable)',
  429: ' (too many requests)',
};

const longestMessage = 300;

function statusMessage(body: string): string | undefined {
  const status = z.object({ kind: z.literal('Status'), message: z.string().min(1) });
  const parsed = status.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  // One printable line: it comes from outside and ends up on a terminal.
  return parsed.data.message.replace(/[\s\p{C}]+/gu, ' ').slice(0, longestMessage);
}

/** `undefined` for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
