/** docs/config.example.yaml is what an operator starts from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { configSchema } from '../../src/config/schema.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../docs/config.example.yaml'), 'utf8');
/** With every setting switched on. Prose has a blank after the #. */
const switchedOn = shipped.replace(/^( *)#(?=\S)/gm, '$1');

const configOf = async (text: string) => (await parseConfig('config.example.yaml', text)).config;

test('as it is shipped, it sets nothing', async () => {
  const { config, lineOf } = await parseConfig('config.example.yaml', shipped);
  expect(config).toEqual(defaultConfig());
  for (const path of settingsOf(configSchema(() => true))) expect(lineOf(path)).toBeUndefined();
});

test('what it shows are the defaults, and examples of what has none', async () => {
  expect(withoutOptional(await configOf(switchedOn))).toEqual(withoutOptional(defaultConfig()));
});

test('it names every setting there is', () => {
  const written = parse(switchedOn);
  const missing = settingsOf(configSchema(() => true)).filter((path) => at(written, path) === undefined);
  expect(missing).toEqual([]);
});

test('each setting can be switched on alone', async () => {
  const lines = shipped.split('\n');
  const settings = lines.flatMap((line, i) => (/^ *#\S/.test(line) ? [i] : []));
  expect(settings.length).toBeGreaterThan(40);
  for (const setting of settings) {
    const text = lines.map((line, i) => (i === setting ? line.replace('#', '') : line)).join('\n');
    expect(withoutOptional(await configOf(text))).toEqual(withoutOptional(defaultConfig()));
  }
});

function withoutOptional({ commands: _, kubeconfig: __, checks, ...others }: Config) {
  const withDefaults = Object.entries(checks).map(([id, { maxChanges: ___, ...settings }]) => {
    const { networks: ____, ...rest } = { networks: undefined, ...settings };
    return [id, rest];
  });
  return { ...others, checks: Object.fromEntries(withDefaults) };
}

interface Keys {
  readonly properties?: Readonly<Record<string, Keys>> | undefined;
  /** Of a mapping whose keys are limited; others may be empty. */
  readonly propertyNames?: { readonly enum?: readonly string[] | undefined } | undefined;
}
const keys: z.ZodType<Keys> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), keys).optional(),
    propertyNames: z.object({ enum: z.array(z.string()).optional() }).optional(),
  }),
);

/** The paths of all settings, as the schema has them. */
function settingsOf(schema: z.ZodType): readonly (readonly string[])[] {
  return pathsOf(keys.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));
}

function pathsOf({ properties, propertyNames }: Keys): readonly (readonly string[])[] {
  if (propertyNames?.enum !== undefined) return propertyNames.enum.map((name) => [name]);
  if (properties === undefined) return [[]];
  return Object.entries(properties).flatMap(([name, inner]) => pathsOf(inner).map((path) => [name, ...path]));
}

function at(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const record = z.record(z.string(), z.unknown()).safeParse(value);
  return record.success ? at(record.data[key], rest) : undefined;
}
