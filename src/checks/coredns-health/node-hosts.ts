import type { Finding } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import { effectNow, type Judge, problem } from './seen.ts';

const path = '/etc/coredns/NodeHosts';

/** What CoreDNS says of the nodes' own names, against what the nodes say of their addresses. */
export const judgeNodeHosts: Judge = (seen) => {
  const { corefile, nodes, coreDns } = seen;
  if (corefile.kind !== 'read' || coreDns.config.kind !== 'known' || !isServed(seen)) return [];
  const text = coreDns.config.value.data['NodeHosts'];
  if (text === undefined) {
    return [
      problem(
        {
          code: 'node-hosts-missing',
          subject: 'ConfigMap coredns NodeHosts',
          severity: 'error',
          message:
            'ConfigMap coredns has lost its key NodeHosts: a pod of CoreDNS that is made anew does not start',
          effect: effectNow(seen),
          evidence: [{ source: 'ConfigMap kube-system/coredns', observed: 'no key NodeHosts' }],
        },
        'restart k3s on a server: it writes the key when it sees its nodes',
      ),
    ];
  }
  if (nodes.kind !== 'known') return [];
  const lines = readLines(text);
  return nodes.nodes.flatMap((node) => judgeNode(node, lines));
};

function isServed({ corefile }: Parameters<Judge>[0]): boolean {
  if (corefile.kind !== 'read') return false;
  return corefile.corefile.blocks.some(({ directives }) =>
    directives.some(({ name, args }) => name === 'hosts' && args[0]?.text === path),
  );
}

interface Line {
  readonly address: string;
  readonly names: readonly string[];
}

function judgeNode(node: NodeFacts, lines: readonly Line[]): readonly Finding[] {
  const expected = node.internalAddresses;
  if (expected.length === 0) return [];
  const name = node.name.toLowerCase();
  const listed = lines.filter(({ names }) => names.includes(name)).map(({ address }) => address);
  const own = new Set([...expected, ...node.externalAddresses].map(spell));
  const wrong = listed.filter((address) => !own.has(spell(address)));
  if (listed.length > 0 && wrong.length === 0) return [];
  const observed = listed.length === 0 ? 'no line' : wrong.map((address) => oneLine(address)).join(', ');
  const message =
    listed.length === 0
      ? `CoreDNS does not know node ${node.name}: NodeHosts has no line for it`
      : `CoreDNS leads whoever asks for node ${node.name} to ${observed}, which is not its address (${expected.join(', ')})`;
  return [
    problem(
      {
        code: 'node-hosts-stale',
        subject: `node ${node.name}`,
        severity: 'warning',
        message,
        effect: listed.length === 0 ? 'idle' : 'loses',
        evidence: [
          { source: 'ConfigMap kube-system/coredns, NodeHosts', observed, expected: expected.join(', ') },
        ],
      },
      'k3s writes the line when the node changes: restart k3s on a server, and look at its log if it stays',
    ),
  ];
}

/** As /etc/hosts: an address, and names. */
function readLines(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || names.length === 0) return [];
    return [{ address, names: names.map((each) => each.toLowerCase()) }];
  });
}

/** One spelling of each IPv6 address. */
function spell(address: string): string {
  const url = address.includes(':') ? `http://[${address}]/` : '';
  return URL.canParse(url) ? new URL(url).hostname : address;
}
