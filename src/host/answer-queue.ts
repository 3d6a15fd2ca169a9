/** The next answer to a question; undefined when there never was one. */
export type AnswerQueue<T> = (question: string) => T | undefined;

/** Gives recorded answers to the same question in their order, and the last one from then on. */
export function answerQueue<T>(answers: readonly T[], questionOf: (answer: T) => string): AnswerQueue<T> {
  const byQuestion = Map.groupBy(answers, questionOf);
  const given = new Map<string, number>();
  return (question) => {
    const known = byQuestion.get(question);
    if (known === undefined) return undefined;
    const index = Math.min(given.get(question) ?? 0, known.length - 1);
    given.set(question, index + 1);
    return known[index];
  };
}
