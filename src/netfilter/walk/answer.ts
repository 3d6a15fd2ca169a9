/** Whether a condition holds for a packet. */
export type Answer = boolean | Doubt;

export interface Doubt {
  /** As in `Assumption`. */
  readonly kind: 'chance' | 'unknown';
  readonly reason: string;
}

export function unknown(reason: string): Doubt {
  return { kind: 'unknown', reason };
}

export function chance(reason: string): Doubt {
  return { kind: 'chance', reason };
}

export function unless(negated: boolean, answer: Answer): Answer {
  return typeof answer === 'boolean' ? answer !== negated : answer;
}

/** What is not known counts for more than chance. */
export function worse(one: Answer, other: Doubt): Doubt {
  return typeof one === 'boolean' || (one.kind === 'chance' && other.kind === 'unknown') ? other : one;
}

/** One `false` settles it, whatever the others are. */
export function every(answers: Iterable<Answer>): Answer {
  let all: Answer = true;
  for (const answer of answers) {
    if (answer === false) return false;
    if (answer !== true) all = worse(all, answer);
  }
  return all;
}

export function some(answers: Iterable<Answer>): Answer {
  let any: Answer = false;
  for (const answer of answers) {
    if (answer === true) return true;
    if (answer !== false) any = worse(any, answer);
  }
  return any;
}
