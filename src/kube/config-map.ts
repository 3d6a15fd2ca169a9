import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

export type ParsedConfigMap =
  | { readonly kind: 'parsed'; readonly data: Readonly<Record<string, string>> }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads one ConfigMap. `binaryData` is left out: nothing that is read here can be in it. */
export function parseConfigMap(body: string): ParsedConfigMap {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = configMapSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  return { kind: 'parsed', data: parsed.data.data ?? {} };
}

function configMapSchema() {
  return z.object({
    metadata: z.object({ name: z.string() }),
    data: z.record(z.string(), z.string()).nullish(),
  });
}
