/** What `doctor trace --format json` prints. Built in a function, because zod schemas cost at every start. */
import { z } from 'zod';

export function traceSchema() {
  const port = z.int().min(0).max(65_535);
  const link = z.string().nullable();
  const chain = z.object({
    backend: z.enum(['legacy', 'nft', 'native']).describe('native: a table that no iptables made'),
    family: z.enum(['ipv4', 'ipv6', 'inet', 'bridge', 'netdev', 'arp']),
    table: z.string(),
    chain: z.string(),
  });
  const rule = chain.extend({
    number: z
      .int()
      .describe('from 1, within its chain; 0: the chain as a whole, or no rule (without a table)'),
    text: z.string().describe('as iptables-save or nft prints it, without counters'),
  });
  const packet = z.object({
    family: z.enum(['ipv4', 'ipv6']),
    source: z.string(),
    destination: z.string(),
    protocol: z.string().describe('tcp, udp, icmp, icmpv6, ..., or a number'),
    sourcePort: port.optional(),
    destinationPort: port.optional(),
    tcpFlags: list(z.string()).optional(),
    icmpType: z.int().optional(),
    icmpCode: z.int().optional(),
    spi: z.int().optional(),
    state: z.enum(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED']),
    mark: z.int(),
    origin: z.union([
      z.object({
        kind: z.literal('link'),
        link: link.describe('null: not known'),
        told: z.enum(['given', 'by-route', 'unknown']).describe('how it is known over which it arrives'),
      }),
      z.object({ kind: z.literal('process'), uid: z.int().optional() }),
    ]),
    outLink: z.string().optional().describe('as it was asked for'),
  });
  const decision = z.union([
    z.object({ kind: z.literal('rule'), rule, rejectWith: z.string().optional() }),
    z.object({ kind: z.literal('policy'), chain }),
    z.object({ kind: z.literal('nothing') }).describe('no rule stands in its way'),
    z.object({ kind: z.literal('kernel'), reason: z.string() }).describe('not by a rule'),
  ]);
  const translation = z.object({
    from: z.string().describe('ADDRESS, or ADDRESS:PORT'),
    to: z.string().nullable().describe('null: to which is not known'),
  });
  const endpointState = z.enum(['live', 'not-ready', 'dead', 'unknown']);
  const end = z.object({
    fate: z.enum(['pass', 'drop', 'reject']),
    way: z
      .enum(['in', 'forward', 'out'])
      .nullable()
      .describe('in: to a process of the node; null: stopped before that was known'),
    outLink: link.describe('null: it leaves over none, or over which is not known'),
    mark: z.int(),
    decidedBy: decision.describe('who stopped it, or the last that accepted it in a filter'),
    destination: translation.optional().describe('left out where it was not translated'),
    source: translation.optional().describe('left out where it stays as it was'),
    endpoint: endpointState
      .optional()
      .describe('of the pod that it goes to, where a Service or host port led'),
    assumptions: list(
      z.object({
        kind: z.enum(['chance', 'unknown']).describe('unknown: this tool cannot tell'),
        reason: z.string(),
        rule,
      }),
    ).describe('what had to be supposed for this end'),
    path: list(z.object({ hook: z.string().optional(), action: z.string(), rule })),
  });
  const service = z.object({
    backend: z.enum(['legacy', 'nft']),
    asked: z
      .enum(['alone', 'first', 'second', 'unknown'])
      .describe('whose nat table is asked first, where both backends claim the address'),
    kind: z.enum(['service', 'host-port']),
    name: z.string().nullable().describe('namespace/name:port of the Service, namespace/name of the pod'),
    address: z.string().nullable().describe('null: any address of this node'),
    port,
    protocol: z.string(),
    chain: z.string(),
    isShadowed: z.boolean().describe('an earlier rule of this table takes all that comes'),
    endpoints: list(z.object({ address: z.string(), port, state: endpointState })),
  });
  return z.object({
    schemaVersion: z.literal(1),
    tool: z.object({ name: z.literal('k3s-doctor'), version: z.string() }),
    at: z.iso.datetime({ offset: true }).describe('when the node was as it is said here'),
    exitCode: z.int(),
    packet,
    verdict: z
      .enum(['pass', 'drop', 'reject', 'depends', 'unknown'])
      .describe('depends: some ends pass and others do not; unknown: what cannot be evaluated decides'),
    ends: list(end).describe('all that may come of it'),
    services: list(service).describe('who claims its destination in nat, each backend for itself'),
    statesFrom: z.string().optional().describe('how it is known which endpoints are live'),
    statesMissing: z.string().optional().describe('why it is not known better'),
    notices: list(z.string()).describe('what was supposed of the packet, and what could not be read'),
  });
}

export type TraceReport = z.infer<ReturnType<typeof traceSchema>>;
export type TraceEnd = TraceReport['ends'][number];
export type TraceService = TraceReport['services'][number];
export type TracePacket = TraceReport['packet'];

function list<T extends z.ZodType>(item: T) {
  return z.array(item).readonly();
}
