/**
 * Writes the published schemas of `--format json` to docs/schema, from those that the documents are
 * built by: `node scripts/write-schema.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { historySchema, runDetailsSchema } from '../src/report/history-schema.ts';
import { reportSchema } from '../src/report/report-schema.ts';
import { traceSchema } from '../src/report/trace-schema.ts';

export const schemaFile = fileOf('report.schema.json');

/** The JSON Schema (draft 2020-12) of a report, as text. */
export function schemaText(): string {
  return print(reportSchema());
}

/** Those of `doctor history` and `doctor history RUN`, by the files they go to. */
export function historySchemaTexts(): ReadonlyMap<string, string> {
  return new Map([
    [fileOf('history.schema.json'), print(historySchema())],
    [fileOf('run.schema.json'), print(runDetailsSchema())],
  ]);
}

export const traceSchemaFile = fileOf('trace.schema.json');

/** That of `doctor trace`. */
export function traceSchemaText(): string {
  return print(traceSchema());
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`../docs/schema/${name}`, import.meta.url));
}

function print(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`;
}

if (import.meta.main) {
  await mkdir(dirname(schemaFile), { recursive: true });
  const texts = new Map([
    [schemaFile, schemaText()],
    [traceSchemaFile, traceSchemaText()],
    ...historySchemaTexts(),
  ]);
  for (const [file, text] of texts) await writeFile(file, text);
}
