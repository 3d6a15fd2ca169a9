import { z } from 'zod';
import type { DnsAnswer, DnsQuestion } from './host.ts';

/** What one process asks another to ask. */
export function dnsQuestionsSchema(): z.ZodType<DnsQuestion[]> {
  return z
    .array(
      z.strictObject({
        server: z.string().max(64),
        port: z.int().min(1).max(65_535).exactOptional(),
        protocol: z.enum(['udp', 'tcp', 'tls']),
        serverName: z.string().max(253).exactOptional(),
        name: z.string().max(255),
        type: z.enum(['A', 'AAAA', 'NS', 'SOA']),
        timeoutMs: z.int().min(1).max(30_000),
      }),
    )
    .max(maxQuestions);
}

/** Each takes a socket. */
const maxQuestions = 500;

export function dnsAnswersSchema(): z.ZodType<DnsAnswer[]> {
  const reason = z.string();
  return z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('answered'),
        code: z.string(),
        records: z.array(z.string()),
        truncated: z.boolean(),
        elapsedMs: z.number(),
      }),
      z.strictObject({ kind: z.literal('timed-out'), timeoutMs: z.number() }),
      z.strictObject({ kind: z.literal('blocked'), reason }),
      z.strictObject({ kind: z.literal('wrong-answer'), reason }),
      z.strictObject({ kind: z.literal('not-asked'), reason }),
    ]),
  );
}
