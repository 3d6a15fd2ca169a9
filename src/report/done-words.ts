import type { Report } from './report-schema.ts';

/** What a step that is done comes to: of one that waited, what has come about. */
export function doneWords({ title }: Report['plan'][number]): string {
  return title.replace(/^wait until /, '');
}
