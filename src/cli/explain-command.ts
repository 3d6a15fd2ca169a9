import { readFile } from 'node:fs/promises';
import { DoctorError } from '../doctor-error.ts';
import { print } from './print.ts';
import { parseCheckId } from './select-checks.ts';

/** Prints a check's page: the README in its folder, which the build puts beside the bundle. */
export async function explainCommand(id: string): Promise<number> {
  const check = parseCheckId(id);
  for (const place of [`./explain/${check}.md`, `../checks/${check}/README.md`]) {
    const page = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => undefined);
    if (page === undefined) continue;
    await print(page);
    return 0;
  }
  throw new DoctorError('usage', `the page of ${check} is missing from this installation`);
}
