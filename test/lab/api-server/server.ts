/**
 * A small Kubernetes API over real TLS: it knows clients by certificate or token as the real one does,
 * answers GETs from given documents, lists in pages, takes JSON patches, and fails on demand. Used
 * inside a test, and as a program of its own inside a network namespace (`main.ts`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { type Authority, type Certified, createAuthority } from './certificates.ts';
import { type Fault, type Reply, replyTo, type SentPatch } from './reply.ts';

export interface ApiServerOptions {
  /** The document behind a path, `undefined` when there is none. Asked anew at every request. */
  readonly read: (path: string) => unknown;
  /** Takes what a patch made of the document at a path. */
  readonly write?: (path: string, document: unknown) => void;
  readonly listen?: { readonly address: string; readonly port: number };
  /** User names by bearer token. */
  readonly tokens?: ReadonlyMap<string, string>;
  /** Default: whoever is known may read everything. */
  readonly mayRead?: (user: string, path: string) => boolean;
  /** Default: whoever is known may patch everything. */
  readonly mayPatch?: (user: string, path: string) => boolean;
  /** Default: made out to the loopback addresses by `authority`. */
  readonly serverCertificate?: Certified;
  readonly authority?: Authority;
}

export interface ApiServer {
  readonly url: string;
  readonly authority: Authority;
  /** Every request so far, in order. */
  readonly requests: readonly SeenRequest[];
  readonly connections: { readonly total: number; readonly open: number };
  setFault(fault: Fault | undefined): void;
  close(): Promise<void>;
}

interface SeenRequest {
  /** `undefined`: nobody that is known here. */
  readonly user: string | undefined;
  /** With its query. */
  readonly path: string;
  /** What a PATCH sent. */
  readonly patch?: string;
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const authority = options.authority ?? createAuthority('test-authority');
  const own = options.serverCertificate ?? authority.issue(loopback);
  const requests: SeenRequest[] = [];
  const connections = { total: 0, open: 0 };
  let fault: Fault | undefined;

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
      const patch = await patchOf(request);
      requests.push({ user, path: request.url ?? '', ...(patch && { patch: patch.text }) });
      const { read, write, mayRead, mayPatch } = options;
      const situation = { user, fault, read, write, mayRead, mayPatch };
      deliver(response, replyTo(request.url ?? '/', patch, situation));
    },
  );
  server.on('secureConnection', (socket) => {
    connections.total += 1;
    connections.open += 1;
    socket.once('close', () => {
      connections.open -= 1;
    });
  });
  const { address, port } = options.listen ?? { address: '127.0.0.1', port: 0 };
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
    setFault(next) {
      fault = next;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const loopback = { commonName: 'kube-apiserver', hosts: ['127.0.0.1', '::1', 'localhost'] };

function userOf(request: IncomingMessage, tokens: ApiServerOptions['tokens']): string | undefined {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return tokens?.get(bearer);
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject.CN;
  return Array.isArray(name) ? name[0] : name;
}

async function patchOf(request: IncomingMessage): Promise<SentPatch | undefined> {
  if (request.method !== 'PATCH') return undefined;
  return { contentType: request.headers['content-type'], text: await text(request) };
}

function deliver(response: ServerResponse, reply: Reply): void {
  if (reply.kind === 'silence') return;
  if (reply.kind === 'cut') {
    response.socket?.destroy();
    return;
  }
  const body = reply.kind === 'failure' ? JSON.stringify(reply.status) : reply.text;
  const code = reply.kind === 'failure' ? reply.status.code : 200;
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  if (reply.kind !== 'half') {
    response.end(body);
    return;
  }
  response.write(body.slice(0, body.length / 2), () => {
    if (reply.end === 'cut') response.socket?.destroy();
  });
}
