/**
 * A small Kubernetes API over real TLS: it knows clients by certificate or token as the real one does,
 * answers from given documents or from objects that it keeps (lists in pages and with selectors, watches,
 * patches, server-side apply, deletion), and fails on demand. Used inside a test, and as a program of its
 * own inside a network namespace (`main.ts`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { type Access, type Authorizer, accessOf } from './access.ts';
import { type Authority, type Certified, createAuthority } from './certificates.ts';
import type { ClusterState } from './cluster-state.ts';
import type { Fault, FaultScope } from './fault.ts';
import type { Reply, SentRequest } from './message.ts';
import { replyTo } from './reply.ts';
import { serveWatch } from './watch.ts';

export interface ApiServerOptions {
  /** Objects that can be read, watched and changed. Goes before `read` and `write`. */
  readonly state?: ClusterState;
  /** The document behind a path, `undefined` when there is none. Asked anew at every request. */
  readonly read?: (path: string) => unknown;
  /** Takes what a patch made of the document at a path. */
  readonly write?: (path: string, document: unknown) => void;
  readonly listen?: { readonly address: string; readonly port: number };
  /** User names by bearer token. */
  readonly tokens?: ReadonlyMap<string, string>;
  /** Default: whoever is known may do everything. */
  readonly may?: Authorizer;
  /** Default: made out by `authority` to the loopback addresses and the one that it listens on. */
  readonly serverCertificate?: Certified;
  readonly authority?: Authority;
  /** Called before each request is answered. */
  readonly onRequest?: (request: SeenRequest) => void;
}

export interface ApiServer {
  readonly url: string;
  readonly authority: Authority;
  /** Every request so far, in order. */
  readonly requests: readonly SeenRequest[];
  readonly connections: { readonly total: number; readonly open: number };
  setFault(fault: Fault | undefined, scope?: FaultScope): void;
  close(): Promise<void>;
}

export interface SeenRequest {
  /** `undefined`: nobody that is known here. */
  readonly user: string | undefined;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Empty where none was sent. */
  readonly body: string;
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { address, port } = options.listen ?? { address: '127.0.0.1', port: 0 };
  const authority = options.authority ?? createAuthority('test-authority');
  const own = options.serverCertificate ?? authority.issue(namesOf(address));
  const requests: SeenRequest[] = [];
  const connections = { total: 0, open: 0 };
  const fault = faultSwitch();

  const server = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: true,
      // The API server, too, lets strangers in as far as an answer of 401.
      rejectUnauthorized: false,
    },
    async (request, response) => {
      const user = userOf(request, options.tokens);
      const sent = await sentBy(request);
      const seen = { user, method: sent.method, path: sent.target, body: sent.body };
      requests.push(seen);
      options.onRequest?.(seen);
      const { state, read, write, may } = options;
      const now = fault.next(sent);
      if (now === 'slow') await sleep(1000);
      const reply = replyTo(sent, { user, fault: now, state, read, write, may });
      if (reply.kind === 'watch' && state !== undefined) serveWatch(response, { ...reply, state });
      else deliver(response, reply);
    },
  );
  server.on('secureConnection', (socket) => {
    connections.total += 1;
    connections.open += 1;
    socket.once('close', () => {
      connections.open -= 1;
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return {
    url: `https://${isIPv6(address) ? `[${address}]` : address}:${boundPort}`,
    authority,
    requests,
    connections,
    setFault: fault.set,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function namesOf(address: string) {
  const hosts = new Set(['127.0.0.1', '::1', 'localhost', 'kubernetes', 'kubernetes.default.svc']);
  if (/^[\d.]+$/.test(address)) hosts.add(address);
  return { commonName: 'kube-apiserver', hosts: [...hosts] };
}

/** Which requests go wrong, and how. */
function faultSwitch() {
  let fault: Fault | undefined;
  let scope: FaultScope = {};
  let left = 0;
  const isMeant = ({ verb, path }: Access) =>
    (scope.verbs?.includes(verb) ?? true) && (scope.path === undefined || path.includes(scope.path));
  return {
    set(next: Fault | undefined, within: FaultScope = {}) {
      fault = next;
      scope = within;
      left = within.times ?? Number.POSITIVE_INFINITY;
    },
    next({ method, target }: SentRequest): Fault | undefined {
      const { pathname, searchParams } = new URL(target, 'https://localhost');
      if (fault === undefined || left <= 0 || !isMeant(accessOf(method, pathname, searchParams)))
        return undefined;
      left -= 1;
      return fault;
    },
  };
}

function userOf(request: IncomingMessage, tokens: ApiServerOptions['tokens']): string | undefined {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return tokens?.get(bearer);
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject.CN;
  return Array.isArray(name) ? name[0] : name;
}

async function sentBy(request: IncomingMessage): Promise<SentRequest> {
  const { method = 'GET', url = '/', headers } = request;
  return {
    method,
    target: url,
    contentType: headers['content-type'],
    userAgent: headers['user-agent'],
    body: await text(request),
  };
}

function deliver(response: ServerResponse, reply: Reply): void {
  if (reply.kind === 'silence' || reply.kind === 'watch') return;
  if (reply.kind === 'cut') {
    response.socket?.destroy();
    return;
  }
  const isFailure = reply.kind === 'failure';
  const body = isFailure ? JSON.stringify(reply.status) : reply.text;
  const code = isFailure ? reply.status.code : reply.kind === 'text' ? (reply.code ?? 200) : 200;
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(isFailure && reply.retryAfter !== undefined && { 'retry-after': String(reply.retryAfter) }),
  });
  if (reply.kind !== 'half') {
    response.end(body);
    return;
  }
  response.write(body.slice(0, body.length / 2), () => {
    if (reply.end === 'cut') response.socket?.destroy();
  });
}
