import type { Fact, FactContext } from '../engine/fact.ts';
import type { DeadFlow } from '../engine/step.ts';
import type { CommandResult } from '../host/host.ts';
import { type Connection, parseConnection } from '../netfilter/conntrack.ts';
import { type Backend, type Family, families } from '../netfilter/ruleset.ts';
import { hasKernelModule } from './kernel-module.ts';
import { cniNetworksFact, type Sandboxes, sandboxesFact } from './sandboxes.ts';
import { markedBackends, type ReadTable, tableReadingsFact } from './table-readings.ts';

/**
 * Where translated connections are answered, as far as the kernel knows. `not-needed`: no table
 * translates to a target that is in doubt.
 *
 * An established TCP connection is remembered for days (24 hours under kube-proxy) after its target
 * died. One that nothing was heard of for five minutes says nothing any more. What a client sends to
 * a dead target counts as little: once data is not acknowledged the kernel remembers the connection
 * for five minutes only (`nf_conntrack_tcp_timeout_unacknowledged`). Other states last two at most.
 */
export type Connections =
  | {
      readonly kind: 'known';
      /** By `flowKey`: one for all clients, so no more than there are Services and endpoints. */
      readonly answered: ReadonlySet<string>;
    }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'not-needed' };

export const connectionsFact: Fact<Connections> = {
  id: 'connections',
  async gather(context) {
    const doubtful = await familiesInDoubt(context);
    if (doubtful.length === 0) return { kind: 'not-needed' };
    if (!(await hasKernelModule(context.host, 'nf_conntrack_netlink')))
      return { kind: 'unavailable', reason: 'nf_conntrack_netlink is not loaded' };
    const answered = new Set<string>();
    const rememberedSeconds = await readEstablishedTimeout(context);
    const isRecent = (connection: Connection) =>
      connection.rememberedSeconds === undefined ||
      connection.rememberedSeconds > rememberedSeconds - recentSeconds;
    for (const family of doubtful) {
      const result = await list(family, context, (connection) => {
        if (connection.answered && isRecent(connection))
          for (const key of keysOf(connection)) answered.add(key);
      });
      if (result.kind !== 'exited') return { kind: 'unavailable', reason: whyNoAnswer(result) };
      if (result.exitCode !== 0) {
        const said = result.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
        return {
          kind: 'unavailable',
          reason: `conntrack failed with exit code ${result.exitCode}: ${said}`,
        };
      }
    }
    return { kind: 'known', answered };
  },
};

/** One string for what was asked for and who answers. */
export function flowKey({ protocol, address, port, target, targetPort }: DeadFlow): string {
  return `${protocol} ${address ?? '*'} ${port} ${target} ${targetPort}`;
}

/** A healthy node is spared the listing: it may know some 100,000 connections. */
async function familiesInDoubt({ get }: FactContext): Promise<Family[]> {
  const tables = await get(tableReadingsFact);
  const node: Node = {
    live: markedBackends(tables)[0],
    sandboxes: await get(sandboxesFact),
    networks: await get(cniNetworksFact),
  };
  return families.filter((family) =>
    tables.some((read) => read.family === family && read.table === 'nat' && isInDoubt(read, node)),
  );
}

interface Node {
  readonly live: Backend | undefined;
  readonly sandboxes: Sandboxes;
  readonly networks: readonly string[];
}

function isInDoubt({ backend, reading }: ReadTable, { live, sandboxes, networks }: Node): boolean {
  if (live !== undefined && backend !== live && reading.services.length > 0) return true;
  return (
    sandboxes.kind === 'known' &&
    reading.hostPorts.some(
      ({ network, sandboxId }) => networks.includes(network) && !sandboxes.ready.has(sandboxId),
    )
  );
}

const recentSeconds = 300;

/** Zero when the kernel does not say: then every connection counts as recent. */
async function readEstablishedTimeout({ host }: FactContext): Promise<number> {
  const file = await host.readFile('/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established');
  return file.kind === 'read' ? Number.parseInt(file.text, 10) || 0 : 0;
}

function list(
  family: Family,
  { host, config }: FactContext,
  onConnection: (connection: Connection) => void,
): Promise<CommandResult> {
  const command = {
    tool: 'conntrack',
    args: ['-L', '-f', family],
    timeoutMs: config.commandTimeoutMs,
  } as const;
  return host.runLines(command, (line) => {
    const connection = parseConnection(line);
    if (connection) onConnection(connection);
  });
}

/** None for a connection that was not translated: its target was asked for itself. */
function keysOf({ protocol, original, reply }: Connection): string[] {
  if (original.destination === reply.source) return [];
  return [original.destination, undefined].map((address) =>
    flowKey({
      protocol,
      address,
      port: original.destinationPort,
      target: reply.source,
      targetPort: reply.sourcePort,
    }),
  );
}

function whyNoAnswer(result: Exclude<CommandResult, { kind: 'exited' }>): string {
  switch (result.kind) {
    case 'timeout':
      return `conntrack did not end within ${result.timeoutMs / 1000} s`;
    case 'absent':
      return `there is no conntrack (looked for ${result.looked.join(', ')})`;
    case 'failed-to-start':
      return `conntrack could not be run: ${result.reason}`;
  }
}
