/**
 * The cluster: where credentials are found, how the API is asked, what its answers mean. It is
 * changed by JSON patch, server-side apply without force, and deletion of what was read; no program that
 * a kubeconfig names is ever run.
 *
 * This module is imported at every start, so it stays light: the Kubernetes client behind
 * `transport.ts` costs more to load than the rest of the product and comes in at the first question.
 */
import type { KubePatchResult, KubeResult, ObjectVersion } from '../host/host.ts';
import type { Answer, Limits } from './answer.ts';
import { type CredentialSearch, type CredentialSource, findCredentials } from './credentials.ts';

export interface KubeClientOptions extends CredentialSearch {
  /** For one question as a whole, with all its attempts and pages; default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Of one answer, all pages together; default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

/** `path` begins with `/`. What the cluster does is never thrown; a reason is one line and holds no secret. */
export interface KubeClient {
  /** GET on the API. Lists come back whole, however many pages they took. */
  get(path: string): Promise<KubeResult>;
  /** JSON patch (RFC 6902, as text) of one object. No change is sent again once it may have taken effect. */
  patch(path: string, patch: string): Promise<KubePatchResult>;
  /** Server-side apply of one object as field manager `k3s-doctor`, without force. */
  apply(path: string, manifest: string): Promise<KubePatchResult>;
  /** DELETE of one object that is still the one that was read. What is not there is deleted already. */
  remove(path: string, expected: ObjectVersion): Promise<KubePatchResult>;
}

/**
 * Speaks to the API with the best credentials this node has. Those that the server refuses, or that
 * lead nowhere, give way to the next ones, unless they were named explicitly; those that worked are
 * used first from then on. The reason of a failure names every attempt.
 */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  let proven: string | undefined;

  const attempt = async (send: Send): Promise<Outcome> => {
    const { sources, lookedFor } = await findCredentials(options);
    if (sources.length === 0) {
      return { kind: 'failed', reason: `no kubeconfig found (looked for ${lookedFor.join(', ')})` };
    }
    const { ask, change } = await import('./transport.ts');
    const endsAt = performance.now() + timeoutMs;
    const limits = { signal: AbortSignal.timeout(timeoutMs), timeoutMs, endsAt, maxBytes };
    const attempts: { readonly name: string; readonly reason: string }[] = [];
    let status: number | undefined;
    for (const source of provenFirst(sources, proven)) {
      const answer = await send({ ask, change }, source, limits);
      if (answer.kind === 'ok') {
        proven = source.name;
        return { kind: 'ok', body: answer.body, source: source.name };
      }
      status = answer.status ?? status;
      attempts.push({ name: source.name, reason: answer.reason });
      if (!answer.tryNext) break;
    }
    return { kind: 'failed', reason: describeAttempts(attempts), status };
  };

  const write = async (wanted: Change): Promise<KubePatchResult> => {
    const outcome = await attempt(({ change }, source, limits) => change(source, wanted, limits));
    if (outcome.kind === 'ok') return { kind: 'patched', body: outcome.body };
    const { status, reason } = outcome;
    if (wanted.kind === 'delete' && status === 404) return { kind: 'patched', body: '' };
    // 422 is what a `test` that does not hold comes to.
    const isConflict = status === 409 || (wanted.kind === 'json-patch' && status === 422);
    return { kind: isConflict ? 'conflict' : 'unavailable', reason };
  };

  return {
    async get(path) {
      const outcome = await attempt(({ ask }, source, limits) => ask(source, path, limits));
      if (outcome.kind === 'ok') return outcome;
      const { status, reason } = outcome;
      return { kind: 'unavailable', reason, ...(status !== undefined && { status }) };
    },
    patch: (path, patch) => write({ kind: 'json-patch', path, body: patch }),
    apply: (path, manifest) => write({ kind: 'apply', path, body: manifest }),
    remove: (path, { uid, resourceVersion }) =>
      write({
        kind: 'delete',
        path,
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions: { uid, resourceVersion },
        }),
      }),
  };
}

type Transport = typeof import('./transport.ts');
type Change = Parameters<Transport['change']>[1];
type Send = (transport: Transport, source: CredentialSource, limits: Limits) => Promise<Answer>;

type Outcome =
  | { readonly kind: 'ok'; readonly body: string; readonly source: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly status?: number | undefined };

/** What befell several is told once. */
function describeAttempts(attempts: readonly { readonly name: string; readonly reason: string }[]): string {
  const byReason = Map.groupBy(attempts, ({ reason }) => reason);
  return [...byReason]
    .map(([reason, those]) => `${those.map(({ name }) => name).join(', ')}: ${reason}`)
    .join('; ');
}

function provenFirst(
  sources: readonly CredentialSource[],
  proven: string | undefined,
): readonly CredentialSource[] {
  const isProven = (source: CredentialSource) => source.name === proven;
  return [...sources.filter(isProven), ...sources.filter((source) => !isProven(source))];
}
