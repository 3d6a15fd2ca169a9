import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

interface SandboxPod {
  readonly name: string;
  readonly namespace: string;
}

export type ParsedSandboxes =
  | {
      readonly kind: 'parsed';
      /** By the sandbox's full id. */
      readonly ready: ReadonlyMap<string, SandboxPod>;
      readonly notReady: ReadonlyMap<string, SandboxPod>;
    }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Reads what `crictl pods -o json` prints: the CRI's ListPodSandboxResponse with every default value
 * spelled out and ids in full length. Chains are removed because a sandbox is not in this list, so
 * nothing in it is skipped: one entry that is not understood makes the whole answer unusable.
 */
export function parseCrictlPods(stdout: string): ParsedSandboxes {
  const json = parseJson(stdout);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = responseSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };

  const ready = new Map<string, SandboxPod>();
  const notReady = new Map<string, SandboxPod>();
  for (const { id, state, metadata } of parsed.data.items) {
    if (ready.has(id) || notReady.has(id))
      return { kind: 'malformed', reason: `sandbox ${id} is listed twice` };
    const pods = state === 'SANDBOX_READY' ? ready : notReady;
    pods.set(id, { name: metadata.name, namespace: metadata.namespace });
  }
  return { kind: 'parsed', ready, notReady };
}

function responseSchema() {
  const sandbox = z.object({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]*$/, 'expected the id of a sandbox')
      // Its tables show 13 digits. Such an id never equals the one that a chain was made for.
      .refine((id) => !/^[0-9a-f]{13}$/.test(id), 'expected an id in full length'),
    state: z.enum(['SANDBOX_READY', 'SANDBOX_NOTREADY']),
    metadata: z.object({ name: z.string().min(1), namespace: z.string().min(1) }),
  });
  return z.object({ items: z.array(sandbox) });
}
