/**
 * Reading the cluster: where credentials are found, how the API is asked, what its answers mean.
 * Nothing here writes to the cluster, and no program that a kubeconfig names is ever run.
 *
 * This module is imported at every start, so it stays light: the Kubernetes client behind
 * `transport.ts` costs more to load than the rest of the product and comes in at the first question.
 */
import type { KubeResult } from '../host/host.ts';
import { type CredentialSearch, type CredentialSource, findCredentials } from './credentials.ts';

export interface KubeClientOptions extends CredentialSearch {
  /** For one question as a whole, with all its attempts and pages; default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Of one answer, all pages together; default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

/**
 * The `kubeGet` of a live host: GET on the API with the best credentials this node has.
 *
 * `path` begins with `/`. Lists come back whole, however many pages they took. Credentials that the
 * server refuses, or that lead nowhere, give way to the next ones, unless they were named explicitly;
 * those that worked are asked first from then on. What the cluster does is never thrown: the reason
 * names every attempt in one line, and holds no secret.
 */
export function createKubeGet(options: KubeClientOptions): (path: string) => Promise<KubeResult> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  let proven: string | undefined;

  return async (path) => {
    const { sources, lookedFor } = await findCredentials(options);
    if (sources.length === 0) {
      return { kind: 'unavailable', reason: `no kubeconfig found (looked for ${lookedFor.join(', ')})` };
    }
    const { ask } = await import('./transport.ts');
    const limits = { signal: AbortSignal.timeout(timeoutMs), timeoutMs, maxBytes };
    const attempts: string[] = [];
    for (const source of provenFirst(sources, proven)) {
      const answer = await ask(source, path, limits);
      if (answer.kind === 'ok') {
        proven = source.name;
        return { kind: 'ok', body: answer.body, source: source.name };
      }
      attempts.push(`${source.name}: ${answer.reason}`);
      if (!answer.tryNext) break;
    }
    return { kind: 'unavailable', reason: attempts.join('; ') };
  };
}

function provenFirst(
  sources: readonly CredentialSource[],
  proven: string | undefined,
): readonly CredentialSource[] {
  const isProven = (source: CredentialSource) => source.name === proven;
  return [...sources.filter(isProven), ...sources.filter((source) => !isProven(source))];
}
