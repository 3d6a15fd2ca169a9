import type { Agent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import type { Answer, Failure, Limits } from './answer.ts';
import { describeExpiry } from './client-certificate.ts';
import type { CredentialSource } from './credentials.ts';
import { parseJson } from './failure-reasons.ts';
import { httpsRequest } from './https-request.ts';
import { credentialReason, parseReason } from './kubeconfig-reasons.ts';
import { isListPath } from './list-path.ts';
import { getPaged, notJson, type PageQuery } from './paged-get.ts';
import { retryLater } from './retry-later.ts';
import { readSmallFile } from './small-file.ts';

/**
 * One GET with one set of credentials.
 *
 * This is the only module that loads the Kubernetes client, which reads kubeconfigs and turns them
 * into TLS options; the request itself is Node's, with its limits ours. Nothing is kept between
 * calls, so renewed certificates and tokens are picked up.
 */
export async function ask(source: CredentialSource, path: string, limits: Limits): Promise<Answer> {
  const connection = await openConnection(source);
  if (connection.kind === 'failed') return connection;
  let usedBytes = 0;
  const get = async (query: PageQuery): Promise<Answer> => {
    const url = urlOf(connection.server, path, query);
    const question = () => httpsRequest({ url }, connection.options, { ...limits, usedBytes });
    const answer = await retryLater(question, limits);
    if (answer.kind === 'ok') usedBytes += Buffer.byteLength(answer.body);
    return answer;
  };
  try {
    return isListPath(path) ? await getPaged(get) : whole(path, await get({}));
  } finally {
    connection.agent.destroy();
  }
}

export interface Change {
  readonly kind: 'json-patch' | 'apply' | 'delete';
  readonly path: string;
  /** The patch, the object, or DeleteOptions. */
  readonly body: string;
}

/** Who we are in an object's `managedFields`. */
const fieldManager = 'k3s-doctor';

const requests = {
  'json-patch': { method: 'PATCH', contentType: 'application/json-patch+json', query: { fieldManager } },
  apply: {
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager, force: 'false' },
  },
  delete: { method: 'DELETE', contentType: 'application/json', query: {} },
} as const;

/** One change with one set of credentials. After a failure that leaves its effect open none is tried again. */
export async function change(
  source: CredentialSource,
  { kind, path, body }: Change,
  limits: Limits,
): Promise<Answer> {
  const connection = await openConnection(source);
  if (connection.kind === 'failed') return connection;
  try {
    const { method, contentType, query } = requests[kind];
    const url = urlOf(connection.server, path, query);
    const question = { url, change: { method, contentType, body } };
    const answer = await retryLater(() => httpsRequest(question, connection.options, limits), limits);
    return answer.kind === 'ok' || !isEffectOpen(answer) ? answer : withOpenEffect(answer);
  } finally {
    connection.agent.destroy();
  }
}

/** A server that refuses has done nothing; one that is in trouble may have written first. */
function isEffectOpen({ status, mayHaveArrived }: Failure): boolean {
  return status === undefined ? mayHaveArrived === true : status < 400 || status >= 500;
}

function withOpenEffect(failure: Failure): Failure {
  const reason = `${failure.reason}; whether it took effect is not known`;
  return { ...failure, reason, tryNext: false };
}

interface Connection {
  readonly kind: 'open';
  readonly server: string;
  readonly options: RequestOptions;
  readonly agent: Agent;
}

async function openConnection(source: CredentialSource): Promise<Connection | Failure> {
  const config = await loadConfig(source);
  if (!(config instanceof KubeConfig)) return config;
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null) return unusable('its current context names no cluster of its own');
  if (user === null) return unusable('its current context names no user of its own');
  if (!URL.canParse(cluster.server)) return unusable('its server is not a URL');
  if (new URL(cluster.server).protocol !== 'https:') return unusable('its server is not an https URL');
  // A kubeconfig may name any program. This one runs as root, often unattended.
  if (user.exec || user.authProvider) {
    return unusable('it signs in through a program or provider, which is never run from here');
  }

  const options: RequestOptions = { rejectUnauthorized: true };
  try {
    await config.applyToHTTPSOptions(options);
    createSecureContext({ ca: options.ca, cert: options.cert, key: options.key });
  } catch (error) {
    return unusable(credentialReason(error));
  }
  const expiry = describeExpiry(options.cert, new Date());
  if (expiry !== undefined) return unusable(expiry);
  // The client's own agents make a connection for every page.
  const agent = cluster.proxyUrl === undefined ? new HttpsAgent({ keepAlive: true }) : options.agent;
  if (typeof agent !== 'object') return unusable('it gives no way to connect');
  return { kind: 'open', server: cluster.server, options: { ...options, agent }, agent };
}

async function loadConfig(source: CredentialSource): Promise<KubeConfig | Failure> {
  const isAccount = source.kind === 'service-account';
  const file = await readSmallFile(isAccount ? `${source.name}/token` : source.name);
  if (file.kind === 'unreadable') return unusable(`cannot be read: ${file.reason}`);
  const config = new KubeConfig();
  if (isAccount) {
    const cluster = {
      name: 'here',
      server: source.server,
      caFile: `${source.name}/ca.crt`,
      skipTLSVerify: false,
    };
    config.loadFromClusterAndUser(cluster, { name: 'pod', token: file.text.trim() });
    return config;
  }
  // Whatever the parser stumbles over is the file's fault. Its message quotes the file: not repeated.
  try {
    config.loadFromString(file.text);
    config.makePathsAbsolute(dirname(source.name));
    return config;
  } catch (error) {
    return unusable(parseReason(error));
  }
}

function unusable(reason: string): Failure {
  return { kind: 'failed', reason, tryNext: true };
}

/** A kubeconfig's server may have a path of its own, as behind Rancher. */
function urlOf(server: string, path: string, query: object): URL {
  if (!path.startsWith('/')) throw new Error(`not a path of the API: ${path}`);
  const url = new URL(server.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/** Health and metrics endpoints and the logs of pods answer in plain text; resources never do. */
function whole(path: string, answer: Answer): Answer {
  const isPlain = !/^\/(apis?\/|version$)/.test(path) || /\/pods\/[^/?]+\/log(\?|$)/.test(path);
  if (answer.kind === 'failed' || isPlain) return answer;
  return parseJson(answer.body) === undefined ? notJson : answer;
}
