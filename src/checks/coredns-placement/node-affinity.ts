import { z } from 'zod';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';

/**
 * Whether an affinity (`spec.template.spec.affinity`) lets a pod onto a node: its required node affinity
 * does, as the scheduler reads it. What pods it wants to be with or without is not looked at. Undefined:
 * it is in a form that is not understood.
 */
export function allows(affinity: unknown, node: NodeFacts): boolean | undefined {
  if (affinity === undefined) return true;
  const parsed = affinitySchema().safeParse(affinity);
  if (!parsed.success) return undefined;
  const required = parsed.data.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required) return true;
  const terms = required.nodeSelectorTerms.map(({ matchExpressions, matchFields }) => {
    const onLabels = (matchExpressions ?? []).map((each) => holds(each, node.labels));
    const onFields = (matchFields ?? []).map((each) => holds(each, { 'metadata.name': node.name }));
    const all = [...onLabels, ...onFields];
    // An empty term is for no node.
    return all.length > 0 && (all.includes(undefined) ? undefined : !all.includes(false));
  });
  return terms.includes(true) ? true : terms.includes(undefined) ? undefined : false;
}

/** Of the names of several nodes: what this check itself sets, and nothing beside it. */
export function onHosts(names: readonly string[]): object {
  const expression = { key: hostLabel, operator: 'In', values: names };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [expression] }],
      },
    },
  };
}

export const hostLabel = 'kubernetes.io/hostname';

/** It may be ours: it is what `onHosts` makes of some names. */
export function isOnHosts(affinity: unknown): boolean {
  return onHostsSchema().safeParse(affinity).success;
}

type Expression = z.output<ReturnType<typeof expressionSchema>>;

function holds(
  { key, operator, values }: Expression,
  of: Readonly<Record<string, string>>,
): boolean | undefined {
  const value = Object.hasOwn(of, key) ? of[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return undefined;
  }
}

function expressionSchema() {
  return z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).nullish() });
}

function affinitySchema() {
  const expressions = z.array(expressionSchema()).nullish();
  const term = z.object({ matchExpressions: expressions, matchFields: expressions });
  return z.object({
    nodeAffinity: z
      .object({
        requiredDuringSchedulingIgnoredDuringExecution: z
          .object({ nodeSelectorTerms: z.array(term) })
          .nullish(),
      })
      .nullish(),
  });
}

function onHostsSchema() {
  const expression = z.strictObject({
    key: z.literal(hostLabel),
    operator: z.literal('In'),
    values: z.array(z.string()),
  });
  const term = z.strictObject({ matchExpressions: z.tuple([expression]) });
  return z.strictObject({
    nodeAffinity: z.strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: z.strictObject({ nodeSelectorTerms: z.tuple([term]) }),
    }),
  });
}
