import type { z } from 'zod';

/** The first fault that a schema found, in one line: `items[3].id: expected string, received undefined`. */
export function describeIssue(error: z.ZodError, within: readonly PropertyKey[] = []): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'of an unknown shape';
  const place = [...within, ...issue.path]
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
  const fault = issue.message.replace(/^Invalid input: /, '');
  return place === '' ? fault : `${place}: ${fault}`;
}
