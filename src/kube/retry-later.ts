import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Limits } from './answer.ts';

const maxAttempts = 3;

/**
 * Asks again when the server was too busy to look at the question, as late as it wants and no more than
 * twice. When that would be after the deadline its answer stands.
 */
export async function retryLater(ask: () => Promise<Answer>, limits: Limits): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (answer.kind === 'ok' || answer.retryAfterMs === undefined || attempt === maxAttempts) return answer;
    // One that says "at once" is not to be taken at its word.
    const waitMs = Math.max(answer.retryAfterMs, 100);
    if (performance.now() + waitMs >= limits.endsAt) return answer;
    await sleep(waitMs);
  }
}
