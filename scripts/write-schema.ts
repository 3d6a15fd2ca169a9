/**
 * Writes docs/schema/report.schema.json, the published schema of `--format json`, from the one that
 * reports are built by: `node scripts/write-schema.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { reportSchema } from '../src/report/report-schema.ts';

export const schemaFile = fileURLToPath(new URL('../docs/schema/report.schema.json', import.meta.url));

/** The JSON Schema (draft 2020-12) of a report, as text. */
export function schemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(reportSchema()), null, 2)}\n`;
}

if (import.meta.main) {
  await mkdir(dirname(schemaFile), { recursive: true });
  await writeFile(schemaFile, schemaText());
}
