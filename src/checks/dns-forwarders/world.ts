import type { ServerAnswer } from '../../facts/dns/server-answer.ts';
import type { Seen } from './seen.ts';
import { stateOf } from './verdicts.ts';

/** Whether CoreDNS, asked itself, resolves a name of the world outside. */
export interface World {
  /** Each pod that was reached, by whether it did. */
  readonly resolving: readonly WorldAnswer[];
  readonly failing: readonly WorldAnswer[];
}

export interface WorldAnswer {
  /** `pod coredns-... on aws-worker-1`, else its address. */
  readonly who: string;
  readonly answer: ServerAnswer;
  /** It runs on this node. */
  readonly isHere: boolean;
}

export function worldOf({ cluster, coreDns, answers: { fromPod }, nodes }: Seen): World {
  const here = nodes.kind === 'known' ? nodes.self?.name : undefined;
  const pods = coreDns.pods.kind === 'known' ? coreDns.pods.value : [];
  const told = [...cluster.world.values()].map((answer) => {
    const pod = pods.find(({ address }) => address === answer.server);
    const isAsked = fromPod.kind === 'asked' && pod?.name === fromPod.pod;
    const isHere = isAsked || (pod?.node !== undefined && pod.node === here);
    const who = pod ? `pod ${pod.name}${pod.node ? ` on ${pod.node}` : ''}` : answer.server;
    return { who, answer, isHere, state: stateOf(answer) };
  });
  return {
    resolving: told.filter(({ state }) => state === 'of-use'),
    failing: told.filter(({ state }) => state === 'useless'),
  };
}
