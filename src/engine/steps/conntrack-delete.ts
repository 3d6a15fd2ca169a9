import { type Connection, parseConnections } from '../../netfilter/conntrack.ts';
import { count } from '../count.ts';
import type { ConntrackDeleteStep, DeadFlow } from '../step.ts';
import type { StepContext, StepKind } from './step-kind.ts';

type Flow = Required<DeadFlow>;

/**
 * Ends connections that removed rules sent to dead targets. Listed first, so that only what is
 * there is deleted, by the address and port asked for and the dead target that was to answer.
 *
 * The kernel has no way to bring a connection back, nor is there a reason: its target is dead. Where
 * connections cannot be listed or ended, they expire.
 */
export const conntrackDelete: StepKind<ConntrackDeleteStep, readonly Flow[]> = {
  describe({ family, flows }) {
    return {
      title: `conntrack ${family}: end connections to ${count(flows.length, 'dead target')} of removed rules, if there are any`,
      command: `conntrack -D -f ${family} ${flows[0] ? deleteArgs(flows[0]).join(' ') : ''}${flows.length > 1 ? ` … and ${flows.length - 1} more like it` : ''}`,
      input: undefined,
      changes: 0,
      reversible: false,
      firewall: false,
      volatile: true,
    };
  },
  async probe(step, context) {
    const found = await list(step, context);
    if (found.kind === 'unavailable') {
      return { kind: 'done', notes: [`conntrack: ${found.reason}; stale connections were left to expire`] };
    }
    const stale = staleFlows(step, found.connections);
    return stale.length === 0 ? { kind: 'done', notes: [] } : { kind: 'needed', before: stale };
  },
  async apply({ family }, stale, { host, timeoutMs }) {
    for (const flow of stale) {
      await host.run({ tool: 'conntrack', args: ['-D', '-f', family, ...deleteArgs(flow)], timeoutMs });
    }
    return { kind: 'written' };
  },
  async verify(step, stale, context) {
    const after = await list(step, context);
    const left = after.kind === 'listed' ? staleFlows(step, after.connections).length : 0;
    const ended = Math.max(0, stale.length - left);
    const notes = [
      `conntrack ${step.family}: ended the connections of ${count(ended, 'flow')} to dead targets`,
      ...(left > 0
        ? [`conntrack ${step.family}: ${count(left, 'flow')} to dead targets could not be ended`]
        : []),
    ];
    return { kind: 'as-planned', notes };
  },
  revert: () => undefined,
  backup: {
    name: ({ family }) => `conntrack-${family}.json`,
    print: (stale) => JSON.stringify(stale, undefined, 1),
    // What was ended is kept for a person to read; nothing is made of it.
    parse: () => [],
  },
};
type Listed =
  | { readonly kind: 'listed'; readonly connections: readonly Connection[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

async function list({ family }: ConntrackDeleteStep, { host, timeoutMs }: StepContext): Promise<Listed> {
  const result = await host.run({ tool: 'conntrack', args: ['-L', '-f', family], timeoutMs });
  if (result.kind === 'absent') return { kind: 'unavailable', reason: 'there is no conntrack program' };
  if (result.kind !== 'exited') return { kind: 'unavailable', reason: 'it could not be listed' };
  if (result.exitCode !== 0)
    return { kind: 'unavailable', reason: `it could not be listed: ${result.stderr.trim()}` };
  return { kind: 'listed', connections: parseConnections(result.stdout) };
}

/** The distinct flows among the connections that lead to one of the step's dead targets. */
function staleFlows({ flows }: ConntrackDeleteStep, connections: readonly Connection[]): Flow[] {
  const wanted = Map.groupBy(flows, ({ protocol, port, target, targetPort }) =>
    [protocol, port, target, targetPort].join(' '),
  );
  const stale = new Map<string, Flow>();
  for (const { protocol, original, reply } of connections) {
    const key = [protocol, original.destinationPort, reply.source, reply.sourcePort].join(' ');
    const match = wanted
      .get(key)
      ?.find(({ address }) => address === undefined || address === original.destination);
    // Without translation the dead address itself was asked for: not our rule's doing.
    if (!match || original.destination === reply.source) continue;
    stale.set(`${key} ${original.destination}`, { ...match, address: original.destination });
  }
  return [...stale.values()];
}

function deleteArgs({ protocol, address, port, target, targetPort }: DeadFlow): string[] {
  const destination = address === undefined ? [] : ['-d', address];
  const asked = ['-p', protocol, ...destination, '--orig-port-dst', String(port)];
  return [...asked, '-r', target, '--reply-port-src', String(targetPort)];
}
