import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

export type ParsedConfigMap =
  | {
      readonly kind: 'parsed';
      readonly data: Readonly<Record<string, string>>;
      /** Keys of what is no text. */
      readonly binaryKeys: readonly string[];
      readonly isImmutable: boolean;
    }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads one ConfigMap. Of `binaryData` only the keys are told. */
export function parseConfigMap(body: string): ParsedConfigMap {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = configMapSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  const { data, binaryData, immutable } = parsed.data;
  return {
    kind: 'parsed',
    data: data ?? {},
    binaryKeys: Object.keys(binaryData ?? {}),
    isImmutable: immutable === true,
  };
}

function configMapSchema() {
  return z.object({
    metadata: z.object({ name: z.string() }),
    data: z.record(z.string(), z.string()).nullish(),
    binaryData: z.record(z.string(), z.unknown()).nullish(),
    immutable: z.boolean().nullish(),
  });
}
