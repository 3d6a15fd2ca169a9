import type { Fact, FactContext } from '../engine/fact.ts';
import { allNodesPath, type ClusterNode, parseNodes } from '../kube/nodes.ts';
import { families } from '../netfilter/ruleset.ts';

export type { ClusterNode as NodeFacts };

/** The nodes of the cluster, as the API has them. */
export type ClusterNodes =
  | {
      readonly kind: 'known';
      readonly nodes: readonly ClusterNode[];
      /** The one that this is, by its name or its addresses; undefined: none of them. */
      readonly self: ClusterNode | undefined;
      readonly source: string;
    }
  /** `forbidden`: the API answered, and these credentials have no right to it. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden?: true };

export const clusterNodesFact: Fact<ClusterNodes> = {
  id: 'cluster-nodes',
  async gather(context) {
    const answer = await context.host.kubeGet(allNodesPath);
    if (answer.kind === 'unavailable') {
      const { kind, reason, status } = answer;
      return { kind, reason, ...(status === 403 && { forbidden: true }) };
    }
    const parsed = parseNodes(answer.body);
    if (parsed.kind === 'malformed') {
      return { kind: 'unavailable', reason: `the API's list of nodes cannot be read: ${parsed.reason}` };
    }
    const { nodes } = parsed;
    if (nodes.length > mostNodes) {
      return { kind: 'unavailable', reason: `the cluster has ${nodes.length} nodes, more than ${mostNodes}` };
    }
    return { kind: 'known', nodes, self: await findSelf(context, nodes), source: answer.source };
  },
};

const mostNodes = 5_000;

/**
 * kubelet registers under the name that its command line gives, else under the host's. k3s hides its
 * command line and can add an id to the name, so then it is the one node that has an address of ours.
 */
async function findSelf(
  { host }: FactContext,
  nodes: readonly ClusterNode[],
): Promise<ClusterNode | undefined> {
  const [processes, hostname] = await Promise.all([
    host.listProcesses(),
    host.readFile('/proc/sys/kernel/hostname'),
  ]);
  const given = processes.filter(({ name }) => kubelets.test(name)).flatMap(({ args }) => givenNames(args));
  const names = [...given, ...(hostname.kind === 'read' ? [hostname.text.trim()] : [])];
  for (const name of names) {
    const named = nodes.find((node) => node.name === name.toLowerCase());
    if (named) return named;
  }
  const own = new Set((await Promise.all(families.map((family) => host.localAddresses(family)))).flat());
  const ours = nodes.filter(({ internalAddresses, externalAddresses }) =>
    [...internalAddresses, ...externalAddresses].some((address) => own.has(address)),
  );
  return ours.length === 1 ? ours[0] : undefined;
}

const kubelets = /^(k3s|k3s-server|k3s-agent|rke2|rke2-server|rke2-agent|kubelet)$/;

/** `--node-name NAME` of k3s, `--hostname-override=NAME` of kubelet. */
function givenNames(args: readonly string[]): readonly string[] {
  return args.flatMap((arg, index) => {
    const [, assigned] = /^--(?:node-name|hostname-override)=(.+)$/.exec(arg) ?? [];
    if (assigned !== undefined) return [assigned];
    const next = args[index + 1];
    return /^--(node-name|hostname-override)$/.test(arg) && next !== undefined ? [next] : [];
  });
}
