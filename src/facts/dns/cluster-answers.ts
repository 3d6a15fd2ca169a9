import type { Fact } from '../../engine/fact.ts';
import type { Answers } from './upstreams.ts';

/** What this host gets when it asks CoreDNS itself. By `serverKey`; every one at port 53. */
export interface ClusterAnswers {
  /** For the API's own name in the cluster: whether CoreDNS is reached. Each pod, each address of the Service. */
  readonly cluster: Answers;
  /** For a name of the world outside: whether what it forwards to answers. Each pod that was reached. */
  readonly world: Answers;
}

export const clusterAnswersFact: Fact<ClusterAnswers> = {
  id: 'cluster-dns-answers',
  async gather() {
    throw new Error('not built yet');
  },
};
