/**
 * The API server as a program, for use inside a network namespace:
 *
 *   node test/lab/api-server/main.ts --listen 127.0.0.1:6443 --kubeconfig OUT [--data DIR] [--objects FILE]...
 *
 * `--data DIR`: `/apis/discovery.k8s.io/v1/endpointslices` is answered from
 * DIR/apis/discovery.k8s.io/v1/endpointslices.json, read anew at every request, and written there when it is
 * patched. `--objects FILE`: objects, or lists of them, that can be read with selectors, watched and changed;
 * of a kind that is known they go before DIR. The kubeconfig is for `--user`; `--also USER=OUT` writes
 * more of them. `--token TOKEN=USER` takes a bearer token. `--authorize nodes` gives `system:kube-proxy` and
 * `system:node:NAME` just the rights they have in k3s.
 * `--inbox DIR`: see `inbox.ts`. `--state FILE` holds all objects by path, and `--log FILE` a line of JSON for
 * each request. Prints `listening on URL` once it does; ends on SIGTERM.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeAuthorizer } from './access.ts';
import { createClusterState } from './cluster-state.ts';
import { faults } from './fault.ts';
import { watchInbox } from './inbox.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startApiServer } from './server.ts';

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:6443' },
    data: { type: 'string' },
    objects: { type: 'string', multiple: true, default: [] },
    kubeconfig: { type: 'string' },
    user: { type: 'string', default: 'system:kube-proxy' },
    also: { type: 'string', multiple: true, default: [] },
    token: { type: 'string', multiple: true, default: [] },
    authorize: { type: 'string' },
    style: { type: 'string', default: 'embedded' },
    fault: { type: 'string' },
    inbox: { type: 'string' },
    state: { type: 'string' },
    log: { type: 'string' },
  },
});
const { data, kubeconfig, inbox, log } = values;
const listen = /^\[?(.+?)\]?:(\d+)$/.exec(values.listen);
const fault = faults.find((name) => name === values.fault);
if (kubeconfig === undefined || listen?.[1] === undefined || fault !== values.fault) {
  throw new Error(`usage: see the beginning of main.ts; faults are ${faults.join(', ')}`);
}

const state = createClusterState(values.objects.map((path) => JSON.parse(readFileSync(path, 'utf8'))));
const server = await startApiServer({
  listen: { address: listen[1], port: Number(listen[2]) },
  ...((values.objects.length > 0 || inbox !== undefined) && { state }),
  tokens: new Map(values.token.map((pair) => splitPair(pair))),
  ...(values.authorize === 'nodes' && { may: nodeAuthorizer }),
  ...(data !== undefined && {
    read: (path) => readDocument(join(data, `${path}.json`)),
    write: (path, document) => writeFileSync(join(data, `${path}.json`), JSON.stringify(document)),
  }),
  ...(log !== undefined && { onRequest: (seen) => appendFileSync(log, `${JSON.stringify(seen)}\n`) }),
});
server.setFault(fault);
const style = values.style === 'files' ? 'files' : 'embedded';
for (const [user, path] of [
  [values.user, kubeconfig] as const,
  ...values.also.map((pair) => splitPair(pair)),
]) {
  const client = server.authority.issue({ commonName: user });
  await writeKubeconfig(path, { server: server.url, authority: server.authority.certificate, client, style });
}
if (values.state !== undefined) keepStateIn(values.state);
const stopInbox = inbox === undefined ? () => undefined : watchInbox(inbox, { state, server });
console.log(`listening on ${server.url}`);
process.once('SIGTERM', end);
process.once('SIGINT', end);

function end(): void {
  stopInbox();
  void server.close();
}

function splitPair(pair: string): [string, string] {
  const at = pair.lastIndexOf('=');
  if (at < 1) throw new Error(`expected NAME=VALUE: ${pair}`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Whoever reads the file sees all of one moment. */
function keepStateIn(path: string): void {
  const save = () => {
    writeFileSync(`${path}.new`, JSON.stringify(state.all(), undefined, 2));
    renameSync(`${path}.new`, path);
  };
  save();
  state.subscribe(save);
}

function readDocument(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
