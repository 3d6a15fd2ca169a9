/**
 * The API server as a program, for use inside a network namespace:
 *
 *   node test/lab/api-server/main.ts --listen 127.0.0.1:6443 --data DIR --kubeconfig OUT
 *
 * `/apis/discovery.k8s.io/v1/endpointslices` is answered from DIR/apis/discovery.k8s.io/v1/endpointslices.json,
 * read anew at every request, and written there when it is patched. Prints `listening on URL` once it does; ends on SIGTERM.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { faults } from './fault.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startApiServer } from './server.ts';

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:6443' },
    data: { type: 'string' },
    kubeconfig: { type: 'string' },
    user: { type: 'string', default: 'system:kube-proxy' },
    style: { type: 'string', default: 'embedded' },
    fault: { type: 'string' },
  },
});
const { data, kubeconfig } = values;
const listen = /^\[?(.+?)\]?:(\d+)$/.exec(values.listen);
const fault = faults.find((name) => name === values.fault);
if (data === undefined || kubeconfig === undefined || listen?.[1] === undefined || fault !== values.fault) {
  throw new Error(
    `usage: --data DIR --kubeconfig OUT [--listen ADDRESS:PORT] [--user NAME] [--style files] [--fault ${faults.join('|')}]`,
  );
}

const server = await startApiServer({
  listen: { address: listen[1], port: Number(listen[2]) },
  read: (path) => readDocument(join(data, `${path}.json`)),
  write: (path, document) => writeFileSync(join(data, `${path}.json`), JSON.stringify(document)),
});
server.setFault(fault);
await writeKubeconfig(kubeconfig, {
  server: server.url,
  authority: server.authority.certificate,
  client: server.authority.issue({ commonName: values.user }),
  style: values.style === 'files' ? 'files' : 'embedded',
});
console.log(`listening on ${server.url}`);
process.once('SIGTERM', () => server.close());
process.once('SIGINT', () => server.close());

function readDocument(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
