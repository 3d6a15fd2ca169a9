import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Report, reportSchema } from '../../../src/report/report-schema.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { startNode } from '../node/start-node.ts';
import { stateFolder } from './broken-node.ts';
import {
  configMapPath,
  coreDns,
  deploymentPath,
  key,
  type Objects,
  plan,
  theirs,
} from './cluster-objects.ts';
import type { Rule, Trouble } from './faulty-api.ts';
import { until } from './until.ts';

const folder = '/run/lab/api';
const program = fileURLToPath(new URL('./plan-program.ts', import.meta.url));
const api = fileURLToPath(new URL('./faulty-api.ts', import.meta.url));

/** How the cluster's objects are: as they were found, as planned, or something else. */
export type ClusterStand = 'before' | 'after' | 'between';

export type ClusterNode = Awaited<ReturnType<typeof startClusterNode>>;

/** A node with a cluster in which a ConfigMap is to be made, a Deployment changed, and its rollout awaited. */
export async function startClusterNode() {
  const node = await startNode();
  const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
  let id = 0;
  const tell = async (trouble: Omit<Trouble, 'id'>) => {
    id += 1;
    await node.writeFile(`${folder}/trouble.json`, JSON.stringify({ id, ...trouble }));
    await until(node, `grep -qx ${id} ${folder}/heard`);
  };
  await node.run(['mkdir', '-p', folder, '/etc/rancher/k3s']);
  await node.start([process.execPath, api, kubeconfig, folder]).waitForLine('listening');
  await configure(node, {
    kubeconfig,
    guards: { probes: { api: false, ssh: false, dns: false, peer: false } },
  });

  return {
    ...node,
    /** A new cluster, and a doctor that was never here before. */
    async renew(rules: readonly Rule[] = [], rollsOut = true): Promise<void> {
      await node.run(['rm', '-rf', stateFolder, '/run/k3s-doctor']);
      await tell({ isNewCluster: true, rollsOut, rules });
    },
    /** The same cluster; what goes wrong is something else, or nothing any more. */
    goOn: (rules: readonly Rule[] = [], rollsOut = true) => tell({ isNewCluster: false, rollsOut, rules }),
    startPlan: () => node.start([process.execPath, program, `${folder}/pid`]),
    async carryOut(): Promise<{ exitCode: number; report: Report | undefined; stderr: string }> {
      const { exitCode, stdout, stderr } = await node.exec([process.execPath, program, `${folder}/pid`], {
        timeoutMs: 60_000,
      });
      const report = stdout === '' ? undefined : reportSchema().parse(JSON.parse(stdout));
      return { exitCode, report, stderr };
    },
    isOpen: async () => (await node.exec(['test', '-e', `${stateFolder}/journal/open`])).exitCode === 0,
    requests: async () => (await node.readFile(`${folder}/log`)).trim().split('\n'),
    async stand(): Promise<ClusterStand> {
      return standOf(JSON.parse(await node.readFile(`${folder}/state.json`)));
    },
    /** Whether what somebody else wrote is there, and that he wrote it at all. */
    async hasTheirs(): Promise<boolean> {
      return (await node.readFile(`${folder}/state.json`)).includes('their.server');
    },
  };
}

/** Fails if anything else than what is planned is another than it was. */
function standOf(objects: Objects): ClusterStand {
  const custom = objects[configMapPath];
  const deployment = objects[deploymentPath];
  expect(Object.keys(objects).filter((path) => path !== configMapPath)).toEqual([deploymentPath]);
  expect(withoutSelector(deployment)).toEqual(withoutSelector(coreDns));
  const data = fieldOf(custom, 'data');
  const [ours, others] = [fieldOf(data, key), keysOf(data).filter((each) => each !== key)];
  expect(Object.keys(theirs.data)).toEqual(expect.arrayContaining(others));
  const [add, patch] = plan;
  const selectors = patch?.kind === 'kube-patch' ? patch.fields[0] : undefined;
  const selector = selectorOf(deployment);
  // A ConfigMap that we made is not left behind empty.
  const isBefore = ours === undefined && (custom === undefined || others.length > 0);
  if (isBefore && isSame(selector, selectors?.was)) return 'before';
  const value = add?.kind === 'config-map-key' ? add.value : undefined;
  return ours === value && isSame(selector, selectors?.value) ? 'after' : 'between';
}

function selectorOf(deployment: unknown): unknown {
  return ['spec', 'template', 'spec', 'nodeSelector'].reduce(fieldOf, deployment);
}

function withoutSelector(deployment: unknown): unknown {
  const spec = fieldOf(deployment, 'spec');
  return { replicas: fieldOf(spec, 'replicas'), selector: fieldOf(spec, 'selector') };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([n]) => n === name)?.[1]
    : undefined;
}
