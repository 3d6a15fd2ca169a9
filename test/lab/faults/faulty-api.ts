/**
 * An API server for use inside a node, with a Deployment `coredns` and what rolls it out, at which things go
 * wrong at chosen requests: `node faulty-api.ts KUBECONFIG FOLDER`. FOLDER/trouble.json says what (`Trouble`),
 * FOLDER/heard which one was read last. FOLDER/state.json holds all objects, FOLDER/log a line for each request.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClusterState } from '../api-server/cluster-state.ts';
import type { Fault } from '../api-server/fault.ts';
import { writeKubeconfig } from '../api-server/kubeconfig.ts';
import { isRecord, type KubeObject } from '../api-server/resource.ts';
import { startApiServer } from '../api-server/server.ts';
import { configMapPath, coreDns, deploymentPath, theirs } from './cluster-objects.ts';

export interface Trouble {
  /** Another one than before: it is heard, and requests are counted anew. */
  readonly id: number;
  /** All objects are as at first. */
  readonly isNewCluster: boolean;
  /** Whether pods follow their Deployment. */
  readonly rollsOut: boolean;
  readonly rules: readonly Rule[];
}

export interface Rule {
  /** Of the requests with this method, and this in their path: */
  readonly method?: string;
  readonly path?: string;
  /** the nth, counted from 1, and all after it with `everAfter`. */
  readonly nth: number;
  readonly everAfter?: true;
  readonly fault?: Fault;
  /** Somebody else writes to the ConfigMap or the Deployment right before it is answered. */
  readonly others?: 'configmaps' | 'deployments';
  /** The process whose id is in FOLDER/pid is killed: what it has sent is done all the same. */
  readonly kills?: true;
}

const [kubeconfig = '', folder = ''] = process.argv.slice(2);
let trouble: Trouble = { id: 0, isNewCluster: false, rollsOut: true, rules: [] };
const counts = new Map<Rule, number>();
const state = createClusterState([coreDns]);

const server = await startApiServer({
  listen: { address: '127.0.0.1', port: 6443 },
  state,
  onRequest({ method, path }) {
    appendFileSync(join(folder, 'log'), `${method} ${path}\n`);
    const hit = trouble.rules.filter((rule) => isHit(rule, method, path));
    for (const { others, kills } of hit) {
      if (others) meddle(others);
      if (kills) process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
    }
    server.setFault(hit.find(({ fault }) => fault)?.fault);
  },
});
const client = server.authority.issue({ commonName: 'system:admin' });
await writeKubeconfig(kubeconfig, { server: server.url, authority: server.authority.certificate, client });
state.subscribe(save);
save();
setInterval(() => {
  hear();
  rollOut();
}, 50);
console.log(`listening on ${server.url}`);

function hear(): void {
  const read = parse(join(folder, 'trouble.json'));
  if (!read || read.id === trouble.id) return;
  trouble = read;
  counts.clear();
  if (trouble.isNewCluster) {
    state.remove(configMapPath);
    state.remove(deploymentPath);
    state.put(coreDns);
    writeFileSync(join(folder, 'log'), '');
  }
  writeFileSync(join(folder, 'heard'), `${trouble.id}\n`);
}

/** Undefined: there is none yet, or it is half written. */
function parse(path: string): Trouble | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isHit(rule: Rule, method: string, path: string): boolean {
  if ((rule.method ?? method) !== method || !path.includes(rule.path ?? '')) return false;
  const count = (counts.get(rule) ?? 0) + 1;
  counts.set(rule, count);
  return rule.everAfter ? count >= rule.nth : count === rule.nth;
}

function meddle(what: 'configmaps' | 'deployments'): void {
  const object = state.get(what === 'configmaps' ? configMapPath : deploymentPath);
  if (object === undefined) state.put(theirs);
  else if (what === 'configmaps') {
    const data = isRecord(object['data']) ? object['data'] : {};
    state.put({ ...object, data: { ...data, ...theirs.data } });
  } else {
    state.put({ ...object, metadata: { ...object.metadata, labels: { 'somebody/else': 'was here' } } });
  }
}

/** As the controllers do it, but for the pods. */
function rollOut(): void {
  const object = state.get(deploymentPath);
  if (!object || !trouble.rollsOut || isRolledOut(object)) return;
  const status = { ...coreDns.status, observedGeneration: object.metadata.generation };
  state.put({ ...object, status });
}

function isRolledOut({ metadata, ...object }: KubeObject): boolean {
  const status = isRecord(object['status']) ? object['status'] : {};
  return status['observedGeneration'] === metadata.generation;
}

function save(): void {
  const path = join(folder, 'state.json');
  writeFileSync(`${path}.new`, JSON.stringify(state.all()));
  renameSync(`${path}.new`, path);
}
