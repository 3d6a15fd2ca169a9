import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';

/** The first nodes of the cluster, in one page. */
export const someNodesPath = '/api/v1/nodes?limit=50';

export type ParsedNodes =
  | { readonly kind: 'parsed'; readonly nodes: readonly ClusterNode[] }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

export interface ClusterNode {
  readonly name: string;
  readonly ready: boolean;
  /** Of both families, as the node told the API. */
  readonly internalAddresses: readonly string[];
}

/** Reads a list of nodes. A field that a node lacks says nothing; it is not ready then. */
export function parseNodes(body: string): ParsedNodes {
  const json = parseJson(body);
  if (json === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const parsed = listSchema().safeParse(json);
  if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error) };
  const nodes = parsed.data.items.map(({ metadata, status }) => ({
    name: metadata.name,
    ready: status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    internalAddresses: status.addresses
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address),
  }));
  return { kind: 'parsed', nodes };
}

function listSchema() {
  const status = z.object({
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
  });
  const node = z.object({ metadata: z.object({ name: z.string() }), status: status.prefault({}) });
  return z.object({ items: z.array(node) });
}
