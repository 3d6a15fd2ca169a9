import type { Step } from '../../engine/step.ts';
import { answerOf, reachOf } from './reach.ts';
import type { Seen } from './seen.ts';

export type Proof =
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'none'; readonly reason: string };

/** How it is seen from here, after a move, that cluster DNS answers. */
export function findProof({ coreDns: { service }, answers, corefile }: Seen): Proof {
  if (service.kind === 'unavailable') {
    return { kind: 'none', reason: `the address of Service kube-dns is not known: ${service.reason}` };
  }
  const addresses = service.kind === 'known' ? service.value : [];
  const [first] = addresses;
  if (first === undefined) {
    return { kind: 'none', reason: 'there is no Service kube-dns whose answer could prove the move' };
  }
  const reaches = addresses.map((address) => ({ address, reach: reachOf(answerOf(answers, address)) }));
  if (reaches.every(({ reach }) => reach === 'unknown')) {
    const reason = 'cluster DNS cannot be asked from here, so that nothing could prove the move';
    return { kind: 'none', reason };
  }
  const answering = reaches.filter(({ reach }) => reach === 'reached').map(({ address }) => address);
  // What does not answer while another address does is not healed by a move.
  const asked = answering.length > 0 ? answering : [first];
  const domain = corefile.kind === 'read' ? corefile.domain : 'cluster.local';
  return {
    kind: 'step',
    step: {
      kind: 'wait',
      title: `cluster DNS answers at ${asked.join(' and ')}`,
      until: {
        kind: 'dns-answers',
        questions: asked.map((server) => ({
          server,
          protocol: 'udp',
          name: `kubernetes.default.svc.${domain}`,
          type: 'A',
          timeoutMs: 1_500,
        })),
      },
      deadlineMs: 60_000,
    },
  };
}
