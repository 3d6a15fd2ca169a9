/**
 * report/: one report document, and what makes text or JSON of it. No I/O here.
 *
 * The schema is the contract with whoever reads the JSON; docs/schema/report.schema.json is made of
 * it. Built in a function, because zod schemas cost at every start.
 */
import { z } from 'zod';

export function reportSchema() {
  const target = z.object({ address: z.string(), port: z.int() });
  const traffic = z.object({
    protocol: z.string(),
    address: z.string().nullable().describe('null: any address of this node'),
    port: z.int(),
    service: z
      .string()
      .nullable()
      .describe('namespace/name:port of a Service, namespace/name of a pod, or null'),
    sentTo: list(target.extend({ state: z.enum(['live', 'not-ready', 'dead', 'unknown']) })),
    live: list(target.extend({ backend: z.string() })),
  });
  const finding = z.object({
    code: z.string().describe('stable'),
    subject: z.string().describe('what it is about; with the code the same in every run'),
    severity: z.enum(['error', 'warning', 'info']),
    message: z.string(),
    effect: z.enum(['masks', 'may-mask', 'captures', 'rejects', 'loses', 'exposes', 'dormant', 'idle']),
    traffic: traffic.optional(),
    evidence: list(z.object({ source: z.string(), observed: z.string(), expected: z.string().optional() })),
    activity: z
      .object({ packets: z.number(), answered: z.boolean() })
      .optional()
      .describe('signs of life in what is called dead'),
    remedy: z.union([
      z.object({ kind: z.literal('planned') }),
      z
        .object({ kind: z.enum(['none', 'held']), reason: z.string() })
        .describe('none: it cannot be repaired; held: not by this run'),
    ]),
  });
  const check = z.object({
    id: z.string(),
    title: z.string(),
    why: z.string(),
    outcome: z.enum(['ok', 'findings', 'skipped', 'unknown']),
    reasons: list(z.string()).describe('why it was skipped, or what could not be determined'),
    findings: list(finding),
    limits: list(z.string()).describe('what could not be asked; the verdict stands without it'),
    notes: list(z.string()),
  });
  const fix = z.object({
    outcome: z.enum(['nothing-to-do', 'not-applied', 'done', 'moved-on', 'stopped', 'failed']),
    reason: z.string().optional(),
    notes: list(z.string()),
    rollback: z.enum(['complete', 'incomplete']).optional(),
  });
  const settled = z.object({
    run: z.string(),
    verb: z.string(),
    outcome: z.enum(['done', 'reverted', 'incomplete', 'moved-on', 'stopped']),
    notes: list(z.string()),
  });
  return z.object({
    schemaVersion: z.literal(1),
    tool: z.object({ name: z.literal('k3s-doctor'), version: z.string() }),
    run: z.object({
      id: z.string(),
      verb: z.enum(['check', 'fix', 'undo', 'install', 'uninstall', 'settle']),
      startedAt: z.iso.datetime(),
      finishedAt: z.iso.datetime(),
    }),
    exitCode: z.int(),
    checks: list(check),
    plan: list(stepSchema()).describe('what is or would be done; empty in a check'),
    fix: fix.optional(),
    settled: settled.optional().describe('an earlier run that was killed, and how it was brought to an end'),
    notices: list(z.string()).describe('what else an operator should know of'),
  });
}

/** A step as it is shown: to a person, in a report, in the history. */
export function stepSchema() {
  return z.object({
    title: z.string(),
    command: z.string(),
    input: z.string().optional().describe('what the command reads from standard input'),
    changes: z
      .int()
      .describe(
        'objects on the node or in the cluster that it changes; 0: it waits, or ends what nobody needs',
      ),
    reversible: z.boolean().describe('it can be taken back, or there is nothing to take back'),
  });
}

export type Report = z.infer<ReturnType<typeof reportSchema>>;

function list<T extends z.ZodType>(item: T) {
  return z.array(item).readonly();
}
