import type { z } from 'zod';
import { DoctorError } from '../doctor-error.ts';
import type { Config } from './config.ts';
import { nearest } from './nearest.ts';
import { parseYaml, type YamlFile } from './parse-yaml.ts';
import { configSchema } from './schema.ts';

/** More would not be read. */
const maxProblems = 20;

export interface ParsedConfig {
  readonly config: Config;
  /** The line that says so much of a setting, from 1; undefined for one that is left out. */
  readonly lineOf: LineOf;
}

export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

/**
 * Text of a configuration file to settings, with the defaults for what it leaves out.
 * Throws DoctorError `config`; its message has a line for each problem: file, line, key, what was
 * expected, what was found.
 */
export async function parseConfig(path: string, text: string): Promise<ParsedConfig> {
  const yaml = parseYaml(path, text);
  const parsed = configSchema(await cronJudge(yaml.value)).safeParse(yaml.value);
  if (parsed.success) {
    const isWritten = (keys: readonly PropertyKey[]) => (valueAt(yaml.value, keys) ?? null) !== null;
    return {
      config: parsed.data,
      lineOf: (keys) => (isWritten(keys) ? yaml.lineOf(keys) : undefined),
    };
  }
  const problems = parsed.error.issues
    .flatMap((issue) => problemsOf(issue, yaml))
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `${path}:${line}: ${message}`);
  const more = problems.length - maxProblems;
  throw new DoctorError(
    'config',
    [...problems.slice(0, maxProblems), ...(more > 0 ? [`${path}: and ${more} more`] : [])].join('\n'),
  );
}

/** The library that knows is loaded for a file that needs it, and not on every run of the timer. */
async function cronJudge(value: unknown): Promise<(text: string) => boolean> {
  if (valueAt(value, ['schedule', 'runs']) === undefined) return () => true;
  return (await import('./is-cron-expression.ts')).isCronExpression;
}

interface Problem {
  readonly line: number;
  readonly message: string;
}

function problemsOf(issue: z.core.$ZodIssue, yaml: YamlFile): readonly Problem[] {
  if (issue.code !== 'unrecognized_keys') {
    const found = describe(valueAt(yaml.value, issue.path));
    const message = `${named(issue.path)}expected ${issue.message}, found ${found}`;
    return [{ line: yaml.lineOf(issue.path), message }];
  }
  const known = issue.message.split(' ');
  return issue.keys.map((key) => {
    const path = [...issue.path, key];
    const meant = nearest(key, known);
    const advice = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return { line: yaml.lineOf(path), message: `${named(path)}unknown key; ${advice}` };
  });
}

/** `checks.iptables-ghosts.networks[0]: ` */
function named(path: readonly PropertyKey[]): string {
  const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return name === '' ? '' : `${name.slice(1)}: `;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return valueAt(inner.find(([name]) => name === String(key))?.[1], rest);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
