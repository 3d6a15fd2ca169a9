import type { Fact } from '../../engine/fact.ts';
import { type Answers, type AskedServer, askServers } from './ask-servers.ts';
import { coreDnsFact, isAlive } from './coredns.ts';
import { liveCorefileFact } from './corefile.ts';
import { presenceFact } from './presence.ts';
import { isHeard, type ServerAnswer } from './server-answer.ts';

/** What this host gets when it asks CoreDNS itself. By `serverKey`; every one at port 53. */
export interface ClusterAnswers {
  /** For the API's own name in the cluster: whether CoreDNS is reached. Each pod, each address of the Service. */
  readonly cluster: Answers;
  /** For a name of the world outside: whether what it forwards to answers. Each pod that was reached; the Service where pods are not known. */
  readonly world: Answers;
}

export const clusterAnswersFact: Fact<ClusterAnswers> = {
  id: 'cluster-dns-answers',
  async gather({ host, config, get }) {
    const presence = await get(presenceFact);
    if (presence.kind === 'absent') return { cluster: new Map(), world: new Map() };
    const [{ pods, service }, live] = await Promise.all([get(coreDnsFact), get(liveCorefileFact)]);
    const running = pods.kind === 'known' ? pods.value.filter(isAlive) : [];
    const ofPods = running.flatMap(({ address }) => address ?? []);
    const ofService = service.kind === 'known' ? service.value : [];
    const { name: worldName, slowMs } = config.checks['dns-forwarders'];
    const domain = live.kind === 'read' ? live.domain : 'cluster.local';
    const [cluster, world] = await Promise.all([
      askServers(host, questions([...ofPods, ...ofService], `kubernetes.default.svc.${domain}`), { slowMs }),
      // At the same time, though those that are not reached are asked in vain: it saves a round trip.
      askServers(host, questions(pods.kind === 'known' ? ofPods : ofService, worldName), { slowMs }),
    ]);
    const reached = [...world].filter(([key]) => isReached(cluster.get(key)));
    return { cluster, world: new Map(reached) };
  },
};

function isReached(answer: ServerAnswer | undefined): boolean {
  return Object.values(answer?.byProtocol ?? {}).some(isHeard);
}

function questions(servers: readonly string[], name: string): readonly AskedServer[] {
  return servers.map((server) => ({ server, port: 53, protocols: ['udp', 'tcp'], name, type: 'A' }));
}
