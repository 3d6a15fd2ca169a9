import { z } from 'zod';
import { tools } from './tools.ts';

/**
 * The schema of a recorded host's `host.json`.
 *
 * Everything may be left out but `version` and `recordedAt`: what is not recorded does not exist. Long
 * text lies in files of its own beside it; `stdout`, `content` and `body` are their names. Where
 * several entries answer the same question they are given in turn, and the last one from then on.
 */
export function recordingSchema() {
  return z.strictObject({
    version: z.literal(1),
    /** What the clock of the replayed host says. */
    recordedAt: z.iso.datetime({ offset: true }),
    commands: z.array(commandSchema()).default([]),
    files: z.array(fileSchema()).default([]),
    directories: z.array(directorySchema()).default([]),
    processes: z.array(processSchema()).default([]),
    localAddresses: z
      .strictObject({ ipv4: z.array(z.ipv4()).default([]), ipv6: z.array(z.ipv6()).default([]) })
      .prefault({}),
    kube: z.array(kubeSchema()).default([]),
    connects: z.array(connectSchema()).default([]),
    dns: z.array(dnsSchema()).default([]),
    http: z.array(httpSchema()).default([]),
  });
}

export type Recording = z.output<ReturnType<typeof recordingSchema>>;
export type RecordingInput = z.input<ReturnType<typeof recordingSchema>>;
export type RecordedCommand = Recording['commands'][number];
export type RecordedDns = Recording['dns'][number];

function commandSchema() {
  return z
    .strictObject({
      tool: z.enum(tools),
      /** Left out: answers the tool whatever its arguments are, unless another entry names them. */
      args: z.array(z.string()).optional(),
      exitCode: z.int().optional(),
      stdout: fileName().optional(),
      stderr: z.string().optional(),
      absent: z.literal(true).optional(),
      timeout: z.literal(true).optional(),
      failedToStart: z.string().optional(),
    })
    .refine(
      ({ exitCode, stdout, stderr, absent, timeout, failedToStart }) =>
        count(exitCode ?? stdout ?? stderr, absent, timeout, failedToStart) <= 1,
      'give either exitCode/stdout/stderr, or absent, or timeout, or failedToStart',
    );
}

function fileSchema() {
  return z
    .strictObject({
      path: absolutePath(),
      content: fileName().optional(),
      text: z.string().optional(),
      absent: z.literal(true).optional(),
      unreadable: z.string().optional(),
    })
    .refine(
      ({ content, text, absent, unreadable }) => count(content, text, absent, unreadable) === 1,
      'give one of content (a file name), text, absent, unreadable',
    );
}

function directorySchema() {
  return z
    .strictObject({
      path: absolutePath(),
      /** A bare name was last modified when the host was recorded. */
      entries: z
        .array(
          z.union([
            z.string(),
            z.strictObject({ name: z.string(), modifiedAt: z.iso.datetime({ offset: true }) }),
          ]),
        )
        .optional(),
      absent: z.literal(true).optional(),
    })
    .refine(({ entries, absent }) => count(entries, absent) === 1, 'give one of entries, absent');
}

function processSchema() {
  return z.strictObject({
    pid: z.int().positive().optional(),
    name: z.string(),
    args: z.array(z.string()).default([]),
  });
}

function kubeSchema() {
  return z
    .strictObject({
      /** Without a query it answers any query. */
      path: absolutePath(),
      body: fileName().optional(),
      source: z.string().optional(),
      unavailable: z.string().optional(),
      /** Beside `unavailable`: of the HTTP answer. */
      status: z.int().min(100).max(599).optional(),
    })
    .refine(
      ({ body, unavailable }) => count(body, unavailable) === 1,
      'give one of body (a file name), unavailable',
    );
}

function connectSchema() {
  return z
    .strictObject({
      address: z.union([z.ipv4(), z.ipv6()]),
      port: z.int().min(1).max(65_535),
      result: z.enum(['connected', 'refused', 'no-answer']).optional(),
      localPort: z.int().min(1).max(65_535).optional(),
      notTried: z.string().optional(),
    })
    .refine(({ result, notTried }) => count(result, notTried) === 1, 'give one of result, notTried');
}

function dnsSchema() {
  return z
    .strictObject({
      server: z.string(),
      /** Left out: the protocol's own. */
      port: z.int().min(1).max(65_535).optional(),
      protocol: z.enum(['udp', 'tcp', 'tls']),
      /** Left out, together with `type`: any question to this server, unless another entry names it. */
      name: z.string().optional(),
      type: z.enum(['A', 'AAAA', 'NS', 'SOA']).optional(),
      /** In whose network it was asked; left out: the host's own. */
      process: z.int().positive().optional(),
      code: z.string().optional(),
      records: z.array(z.string()).optional(),
      truncated: z.boolean().optional(),
      elapsedMs: z.number().optional(),
      timedOut: z.literal(true).optional(),
      blocked: z.string().optional(),
      wrongAnswer: z.string().optional(),
      notAsked: z.string().optional(),
    })
    .refine(
      ({ code, timedOut, blocked, wrongAnswer, notAsked }) =>
        count(code, timedOut, blocked, wrongAnswer, notAsked) === 1,
      'give one of code, timedOut, blocked, wrongAnswer, notAsked',
    );
}

function httpSchema() {
  return z
    .strictObject({ url: z.string(), body: fileName().optional(), unavailable: z.string().optional() })
    .refine(
      ({ body, unavailable }) => count(body, unavailable) === 1,
      'give one of body (a file name), unavailable',
    );
}

/** Of a file in the recording's own folder. */
function fileName() {
  return z
    .string()
    .refine(
      (name) =>
        name !== '' && !name.startsWith('/') && !name.split('/').includes('..') && !name.includes('\0'),
      'expected the name of a file inside the folder of the recording',
    );
}

function absolutePath() {
  return z.string().startsWith('/', 'expected a path that begins with /');
}

function count(...given: readonly unknown[]): number {
  return given.filter((value) => value !== undefined).length;
}
