import type { ProbeResult } from '../engine/journal.ts';
import type { DnsAnswer, Host, KubeResult } from '../host/host.ts';
import { clusterDnsPath, parseClusterDns } from '../kube/cluster-dns.ts';
import { parseNodes, someNodesPath } from '../kube/nodes.ts';

/** Of one question to the API. */
const apiMs = 2_000;

/** The API server says that it is ready. */
export async function probeApi(host: Host): Promise<ProbeResult> {
  const answer = await ask(host, '/readyz');
  return answer.kind === 'ok'
    ? { probe: 'api', passed: true, detail: `the API server is ready (asked with ${answer.source})` }
    : { probe: 'api', passed: false, detail: `the API server is not ready: ${answer.reason}` };
}

/** Cluster DNS knows the API's own name. */
export async function probeDns(host: Host): Promise<ProbeResult> {
  const service = await ask(host, clusterDnsPath);
  const server = (service.kind === 'ok' ? parseClusterDns(service.body) : undefined) ?? k3sDefaultDns;
  const name = 'kubernetes.default.svc.cluster.local';
  const [answer] = await host.askDns([{ server, protocol: 'udp', name, type: 'A', timeoutMs: 1_500 }]);
  return answer?.kind === 'answered' && answer.code === 'NOERROR'
    ? { probe: 'dns', passed: true, detail: `cluster DNS answers at ${server}` }
    : {
        probe: 'dns',
        passed: false,
        detail: `cluster DNS at ${server} does not answer: ${describe(answer)}`,
      };
}

const k3sDefaultDns = '10.43.0.10';

/** One of three other nodes can be reached: it accepts a connection to its kubelet, or refuses it itself. */
export async function probePeer(host: Host): Promise<ProbeResult> {
  const answer = await ask(host, someNodesPath);
  if (answer.kind === 'unavailable') return noPeer(`it is not known who: ${answer.reason}`);
  const parsed = parseNodes(answer.body);
  if (parsed.kind === 'malformed') return noPeer(`it is not known who: ${parsed.reason}`);
  const own = new Set((await Promise.all([host.localAddresses('ipv4'), host.localAddresses('ipv6')])).flat());
  const peers = parsed.nodes
    .filter(({ ready, internalAddresses }) => ready && !internalAddresses.some((each) => own.has(each)))
    .flatMap(({ internalAddresses }) => internalAddresses.slice(0, 1))
    .slice(0, 3);
  if (peers.length === 0) return noPeer('there is no other node that is ready');
  const tried = await Promise.all(
    peers.map(async (address) => ({ address, ...(await host.connectTcp(address, kubeletPort, 1_500)) })),
  );
  const reached = tried.find(({ kind }) => kind === 'connected' || kind === 'refused');
  return reached === undefined
    ? noPeer(`none of ${peers.join(', ')} answers at port ${kubeletPort}`)
    : { probe: 'peer', passed: true, detail: `node ${reached.address} answers at port ${kubeletPort}` };
}

const kubeletPort = 10_250;

function noPeer(why: string): ProbeResult {
  return { probe: 'peer', passed: false, detail: `no other node was reached: ${why}` };
}

async function ask(host: Host, path: string): Promise<KubeResult> {
  const late = Promise.withResolvers<KubeResult>();
  const reason = `no answer in ${apiMs / 1000} s`;
  const timer = setTimeout(() => late.resolve({ kind: 'unavailable', reason }), apiMs);
  return Promise.race([host.kubeGet(path), late.promise]).finally(() => clearTimeout(timer));
}

function describe(answer: DnsAnswer | undefined): string {
  if (answer?.kind === 'answered') return `it says ${answer.code}`;
  if (answer?.kind === 'timed-out') return `no answer in ${answer.timeoutMs / 1000} s`;
  return answer?.reason ?? 'it was not asked';
}
