import { normalize } from 'node:path';
import { z } from 'zod';
import { tools } from '../host/tools.ts';
import { defaultConfig } from './config.ts';

/**
 * What may be in the file; unknown keys are refused. The message of an issue is what was expected,
 * in words that follow "expected"; that of `unrecognized_keys` is the known keys, joined by spaces.
 */
export function configSchema() {
  const { paths, guards, commandTimeoutMs, checks } = defaultConfig();
  return section({
    paths: section({
      state: absolutePath().default(paths.state),
      run: absolutePath().default(paths.run),
      k3sData: absolutePath().default(paths.k3sData),
      k3sRun: absolutePath().default(paths.k3sRun),
      ipam: absolutePath().default(paths.ipam),
    }),
    commands: orEmpty(z.partialRecord(z.enum(tools), commandLine(), { error: mappingError(tools) })),
    kubeconfig: absolutePath().exactOptional(),
    guards: section({ maxChanges: wholeNumber({ min: 1 }).default(guards.maxChanges) }),
    commandTimeoutMs: wholeNumber({ min: 1000, max: 600_000 }).default(commandTimeoutMs),
    checks: section({
      'iptables-ghosts': section({
        networks: z
          .array(networkName(), 'a list of network names')
          .min(1, 'at least one network name')
          .exactOptional(),
        probe: z.boolean('true or false').default(checks['iptables-ghosts'].probe),
      }),
    }),
  });
}

function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return orEmpty(z.strictObject(shape, { error: mappingError(Object.keys(shape)) }));
}

/** A section whose every line is commented out is null in YAML; it counts as left out. */
function orEmpty<S extends z.ZodType>(schema: S) {
  return z.preprocess((value) => (value === null ? {} : value), schema).prefault({});
}

function mappingError(knownKeys: readonly string[]) {
  return (issue: { code?: string }) =>
    issue.code === 'unrecognized_keys' ? knownKeys.join(' ') : 'a mapping of keys to values';
}

function absolutePath() {
  return z
    .custom<string>(isAbsolutePath, 'an absolute path')
    .transform((path) => normalize(path).replace(/(?<=.)\/$/, ''));
}

function commandLine() {
  return z
    .custom<string | readonly string[]>(
      isCommandLine,
      'an absolute path, or a list of words that begins with one',
    )
    .transform((command) => (typeof command === 'string' ? [command] : command));
}

function wholeNumber({ min, max }: { min: number; max?: number }) {
  const expected =
    max === undefined ? `a whole number above ${min - 1}` : `a whole number from ${min} to ${max}`;
  return z
    .int(expected)
    .min(min, expected)
    .max(max ?? Number.MAX_SAFE_INTEGER, expected);
}

/** A name that CNI accepts; it also names a folder below paths.ipam. */
function networkName() {
  const expected = 'a network name (letters, digits and _.- after a letter or digit)';
  return z.string(expected).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, expected);
}

function isAbsolutePath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.includes('\0');
}

function isCommandLine(value: unknown): value is string | readonly string[] {
  if (!Array.isArray(value)) return isAbsolutePath(value);
  return isAbsolutePath(value[0]) && value.every((word) => typeof word === 'string' && !word.includes('\0'));
}
