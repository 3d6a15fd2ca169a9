/**
 * The demo, run by scripts/demo as root. All of it happens in namespaces of its own, the built
 * program included; when it ends, by whatever cause, the kernel takes them and all in them away.
 */
import { fileURLToPath } from 'node:url';
import { Chalk } from 'chalk';
import { kubeProxyRules } from '../test/lab/ghosts/kube-proxy-rules.ts';
import { type Client, type LabNode, startNode } from '../test/lab/node/start-node.ts';

const say = process.stdout.isTTY ? new Chalk() : new Chalk({ level: 0 });
const doctor = '/run/doctor/doctor.js';
const service = { name: 'default/web:http', address: '10.43.0.80', port: 80 } as const;
const earlier = [{ ...service, endpoints: ['10.42.0.5:8080'] }];
const now = [{ ...service, endpoints: ['10.42.0.9:8080', '10.42.0.10:8080'] }];

process.exit(await demo());

/** Returns the exit code: 0 when all went as it is told. */
async function demo(): Promise<number> {
  const interruption = new AbortController();
  await using node = await startNode({ hostname: 'demo-node' });
  // The step that is going on is done in a second; a second signal does not wait for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interruption.abort());
  }
  try {
    return await tell({ node, signal: interruption.signal });
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    await node.stop();
    console.log('\nInterrupted. The node is gone, and nothing is left of it.');
    return 130;
  }
}

interface Stage {
  readonly node: LabNode;
  /** Aborted when the demo is interrupted; it says nothing more then. */
  readonly signal: AbortSignal;
}

async function tell(stage: Stage): Promise<number> {
  const { signal } = stage;
  const chapter = (title: string) => {
    signal.throwIfAborted();
    console.log(`\n${say.bold.cyan(title)}\n`);
  };

  chapter('1. A broken node');
  const client = await breakNode(stage.node);
  signal.throwIfAborted();
  console.log(`  A node in network namespaces of its own, with the real firewall of this
  kernel. The rules of this machine are not touched.

  Service default/web is ${service.address}:${service.port}.
  - Earlier, kube-proxy wrote to iptables-legacy. The pod was 10.42.0.5.
  - Now it writes to iptables-nft. The pods are web-1, 10.42.0.9, and web-2,
    10.42.0.10, which answer HTTP. 10.42.0.5 is gone.
  - The old rules are still in iptables-legacy: ghosts. Nobody maintains them,
    and Kubernetes does not see them.`);

  chapter('2. Six requests to the Service');
  const before = await sendRequests(client, stage);
  chapter('3. What is wrong');
  const check = await run(['check', 'iptables-ghosts'], stage);
  chapter('4. What would be done, exactly');
  const dryRun = await run(['fix', 'iptables-ghosts', '--dry-run'], stage);
  chapter('5. The repair');
  const fix = await run(['fix', 'iptables-ghosts', '--yes'], stage);
  chapter('6. The same requests');
  const after = await sendRequests(client, stage);
  chapter('7. A second run finds nothing and writes nothing');
  const again = await run(['fix', 'iptables-ghosts', '--yes'], stage);

  await stage.node.stop();
  if ([before, check, dryRun, fix, after, again].join() === '0,1,1,0,6,0') {
    console.log(say.green('\nDone. The node is gone, and nothing is left of it.'));
    return 0;
  }
  console.log(say.red('\nThis is not what should have happened: please report it, with the output above.'));
  return 1;
}

/** The nat table that is registered last comes first, here that of the ghosts: every request meets them. */
async function breakNode(node: LabNode): Promise<Client> {
  const build = fileURLToPath(new URL('build.ts', import.meta.url));
  await Promise.all([
    node.run([process.execPath, build, '/run/doctor']),
    startApiServer(node),
    node.fakeProcess('k3s-server', ['server']),
    node.addPod({ name: 'web-1', address: '10.42.0.9', tcp: [8080] }),
    node.addPod({ name: 'web-2', address: '10.42.0.10', tcp: [8080] }),
  ]);
  const gone = await node.addPod({ name: 'web-0', address: '10.42.0.5', tcp: [8080] });
  await node.restore('nft', 'ipv4', kubeProxyRules(now, 'KUBE-IPTABLES-HINT'));
  await node.restore('legacy', 'ipv4', kubeProxyRules(earlier));
  await gone.stop();
  return node.addClient();
}

/** Knows the Service's endpoints of now, and says so to whom k3s' kubeconfig lets in. */
async function startApiServer(node: LabNode): Promise<void> {
  const slice = {
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.42.0.9'] }, { addresses: ['10.42.0.10'] }],
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  };
  const list = { kind: 'EndpointSliceList', apiVersion: 'discovery.k8s.io/v1', metadata: {}, items: [slice] };
  await node.writeFile('/run/api/apis/discovery.k8s.io/v1/endpointslices.json', JSON.stringify(list));
  const server = fileURLToPath(new URL('../test/lab/api-server/main.ts', import.meta.url));
  const options = ['--data', '/run/api', '--kubeconfig', '/etc/rancher/k3s/k3s.yaml'];
  await node.start([process.execPath, server, ...options]).waitForLine('listening');
}

/** Returns how many were answered. */
async function sendRequests(client: Client, { signal }: Stage): Promise<number> {
  let answered = 0;
  for (let i = 0; i < 6; i++) {
    const result = await client.http(service.address, service.port, { timeoutMs: 500 });
    signal.throwIfAborted();
    if (result.ok) answered++;
    const came = result.ok ? say.green(`answer from ${result.body}`) : say.red('no answer');
    console.log(`  GET http://${service.address}:${service.port}/  ${came}`);
  }
  return answered;
}

/** Runs the built program as an operator would, and shows what he would see. Returns the exit code. */
async function run(args: readonly string[], { node, signal }: Stage): Promise<number> {
  console.log(say.bold(`  $ doctor ${args.join(' ')}\n`));
  const { exitCode } = await node.start([process.execPath, doctor, ...args], { output: 'inherit' }).ended;
  signal.throwIfAborted();
  console.log(say.dim(`\n  (exit code ${exitCode})`));
  return exitCode;
}
