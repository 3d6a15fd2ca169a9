import { z } from 'zod';
import type { KubeObject } from '../../api-server/resource.ts';
import type { Template } from './objects.ts';

/** The node that a pod of this template goes to, the one with the fewest of them first; or why there is none. */
export function schedule(
  template: Template,
  nodes: readonly KubeObject[],
  taken: readonly (string | undefined)[],
): { readonly node: string } | { readonly unschedulable: string } {
  const fit = nodes.filter((node) => mayRunOn(template.spec, nodeSchema.parse(node)));
  const pods = (node: KubeObject) => taken.filter((name) => name === node.metadata.name).length;
  const [best] = fit.toSorted((a, b) => pods(a) - pods(b));
  if (best !== undefined) return { node: best.metadata.name };
  const message = `0/${nodes.length} nodes are available: ${nodes.length} node(s) didn't match Pod's node affinity/selector.`;
  return { unschedulable: message };
}

function mayRunOn({ nodeSelector = {}, affinity, tolerations = [] }: Template['spec'], node: Node): boolean {
  const { labels } = node.metadata;
  const isReady = node.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const { unschedulable = false, taints = [] } = node.spec;
  const terms = affinitySchema.parse(affinity ?? {}).nodeAffinity
    ?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    isReady &&
    !unschedulable &&
    taints.every((taint) => tolerations.some(({ key }) => key === undefined || key === taint.key)) &&
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    (terms === undefined ||
      terms.nodeSelectorTerms.some(({ matchExpressions = [] }) =>
        matchExpressions.every(({ key, operator, values }) => operators[operator](labels[key], values)),
      ))
  );
}

const operators = {
  In: (label: string | undefined, values: readonly string[]) => label !== undefined && values.includes(label),
  NotIn: (label: string | undefined, values: readonly string[]) =>
    label === undefined || !values.includes(label),
  Exists: (label: string | undefined) => label !== undefined,
  DoesNotExist: (label: string | undefined) => label === undefined,
} as const;

const affinitySchema = z.looseObject({
  nodeAffinity: z
    .looseObject({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .looseObject({
          nodeSelectorTerms: z.array(
            z.looseObject({
              matchExpressions: z
                .array(
                  z.looseObject({
                    key: z.string(),
                    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
                    values: z.array(z.string()).default([]),
                  }),
                )
                .optional(),
            }),
          ),
        })
        .optional(),
    })
    .optional(),
});

const nodeSchema = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }),
  spec: z
    .looseObject({
      unschedulable: z.boolean().optional(),
      taints: z.array(z.looseObject({ key: z.string() })).optional(),
    })
    .default({}),
  status: z.looseObject({
    conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).default([]),
  }),
});

type Node = z.infer<typeof nodeSchema>;
