/**
 * faults/: everything that can go wrong while a fix is at work, tried on the real kernel. Whatever it
 * is, the node is as before or as planned afterwards, and what is said of it is true.
 */
import { expect } from 'vitest';
import { addForeignRules } from '../ghosts/foreign-rules.ts';
import { startHauntedNode, webGhost } from '../ghosts/haunted-node.ts';
import { configure } from '../ghosts/run-doctor.ts';
import type { Backend } from '../node/ruleset-text.ts';
import type { NodeSnapshot } from '../node/take-snapshot.ts';

export const stateFolder = '/var/lib/k3s-doctor';

const dnsGhost = {
  name: 'kube-system/dns:dns',
  protocol: 'udp',
  address: '10.43.0.10',
  port: 53,
  endpoints: ['10.42.0.5:5353'],
} as const;
const emptyGhost = { name: 'default/none:http', address: '10.43.0.77', port: 80, endpoints: [] };

/** A connection that the ghosts sent to a dead pod. */
const staleConnection = [
  ...['-p', 'udp', '-s', '192.168.60.2', '-d', '10.43.0.10', '--sport', '4444', '--dport', '53'],
  ...['-r', '10.42.0.5', '-q', '192.168.60.2', '--reply-port-src', '5353', '--reply-port-dst', '4444'],
];

/** How the ghosts' backend is: as it was found, as planned, or something else. */
export type NodeState = 'before' | 'after' | 'between';

export type BrokenNode = Awaited<ReturnType<typeof startBrokenNode>>;

/** A node with ghosts in three tables, foreign rules among them, and a stale connection: a fix has four steps. */
export async function startBrokenNode(backend: Backend = 'legacy') {
  const node = await startHauntedNode({ ghosts: backend, earlier: [webGhost, dnsGhost, emptyGhost] });
  await addForeignRules(node, 'legacy');
  await addForeignRules(node, 'nft');
  const rules = backend === 'legacy' ? 'legacyIpv4' : 'nftIpv4';
  const ghosts = await node.dump(backend, 'ipv4', { counters: true });
  const before = await node.snapshot();
  const after = { ...before, [rules]: withoutGhosts(before[rules]) };

  return {
    ...node,
    /** The same ghosts again, and a doctor that was never here before. */
    async breakAgain(): Promise<void> {
      await node.run(['sh', '-c', `rm -rf ${stateFolder} /run/k3s-doctor /run/lab/calls-of-tool`]);
      await this.bringGhostsBack();
    },
    /** What the doctor remembers stays. */
    async bringGhostsBack(): Promise<void> {
      await node.restore(backend, 'ipv4', ghosts);
      await node.exec(['conntrack', '-D', ...staleConnection.slice(0, 10)]);
      await node.run(['conntrack', '-I', ...staleConnection, '-t', '600']);
    },
    configure: (more: Readonly<Record<string, unknown>> = {}) =>
      configure(node, {
        ...settings,
        ...more,
        commands: { crictl: node.crictl, ...objectIn(more, 'commands') },
      }),
    /** Fails if anything but the ghosts is another than it was, or a table was changed in part. */
    async state(): Promise<NodeState> {
      const now = await node.snapshot();
      expectNothingForeign(before, now, rules);
      const tables = [now, before, after].map((snapshot) => snapshot[rules].split('COMMIT\n'));
      const [tablesNow = [], tablesBefore = [], tablesAfter = []] = tables;
      for (const [index, table] of tablesNow.entries()) {
        expect([tablesBefore[index], tablesAfter[index]]).toContain(table);
      }
      if (now[rules] === before[rules]) return 'before';
      return now[rules] === after[rules] ? 'after' : 'between';
    },
    /** Whether the connection to the dead pod is still there. */
    async hasStaleConnection(): Promise<boolean> {
      const { conntrack } = await node.snapshot();
      return conntrack.some((line) => line.includes('src=10.42.0.5 '));
    },
  };
}

/** Quick, and without a connection that would be counted. */
const settings = {
  commandTimeoutMs: 1500,
  guards: { probes: { api: false, ssh: false, dns: false, peer: false } },
  checks: { 'iptables-ghosts': { probe: false } },
};

function objectIn(more: Readonly<Record<string, unknown>>, key: string): object {
  const value = more[key];
  return typeof value === 'object' && value !== null ? value : {};
}

function expectNothingForeign(
  before: NodeSnapshot,
  now: NodeSnapshot,
  rules: 'legacyIpv4' | 'nftIpv4',
): void {
  const { conntrack: _, nftRuleset, legacyIpv4, nftIpv4, ...others } = before;
  expect(now).toMatchObject(others);
  if (rules === 'legacyIpv4') expect(now).toMatchObject({ nftRuleset, nftIpv4 });
  else expect(now).toMatchObject({ legacyIpv4 });
  expect(withoutGhosts(now[rules])).toBe(withoutGhosts(before[rules]));
}

function withoutGhosts(dump: string): string {
  return dump
    .split('\n')
    .filter((line) => !line.includes('KUBE-'))
    .join('\n');
}
