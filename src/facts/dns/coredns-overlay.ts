import type { Fact } from '../../engine/fact.ts';
import { type OverlayAnswers, overlayAnswersFact } from '../overlay.ts';
import { clusterAnswersFact } from './cluster-answers.ts';
import { placementFact } from './placement.ts';
import { isHeard, type ServerAnswer, serverKey } from './server-answer.ts';

/**
 * Whether the other nodes answer over the overlay, where that bears on CoreDNS: a pod of it may have to move,
 * or does not answer. Else no node is pinged: this is run often, and on every node.
 */
export const coreDnsOverlayFact: Fact<OverlayAnswers> = {
  id: 'coredns-overlay',
  async gather({ get }) {
    const [placement, { cluster }] = await Promise.all([get(placementFact), get(clusterAnswersFact)]);
    const pods = placement.kind === 'known' ? placement.pods : [];
    const isAllWell = pods.every(({ pod: { node, address = '' }, isAllowed }) => {
      const answer = cluster.get(serverKey({ server: address, port: 53 }));
      return isAllowed && node !== undefined && answer !== undefined && isHeardByAll(answer);
    });
    if (!isAllWell) return get(overlayAnswersFact);
    return { kind: 'not-asked', reason: 'CoreDNS answers from where it may run' };
  },
};

function isHeardByAll({ byProtocol }: ServerAnswer): boolean {
  return Object.values(byProtocol).every(isHeard);
}
