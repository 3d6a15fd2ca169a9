import type { Judged } from '../../engine/judged.ts';
import { judgeOverwrite, judgeTwin } from './announced.ts';
import { judgeAnswer } from './answer.ts';
import { judgeEntries } from './entries.ts';
import { judgeRoute, judgeTunnelRoute } from './routes.ts';
import type { Judge, Seen } from './seen.ts';

/**
 * Why packets to one node's pods are lost, the first cause that is found. A node whose end of the
 * overlay answers full packets is reached, whatever looks odd about it.
 */
export function judgePeer(seen: Seen): readonly Judged[] {
  const { answers, peer } = seen;
  const answer = answers.kind === 'asked' ? answers.answers.get(peer.inner) : undefined;
  if (answer === 'answered') return judgeOverwrite(seen, answer);
  const judges: readonly Judge[] = [
    judgeTwin,
    judgeEntries,
    judgeRoute,
    judgeTunnelRoute,
    judgeOverwrite,
    judgeAnswer,
  ];
  for (const judge of judges) {
    const judged = judge(seen, answer);
    if (judged.length > 0) return judged;
  }
  return [];
}
