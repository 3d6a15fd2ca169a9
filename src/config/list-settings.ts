import type { Config } from './config.ts';
import type { LoadedConfig } from './load.ts';

/** One value of the configuration that holds, and who says so. */
export interface Setting {
  readonly path: readonly (string | number)[];
  /** The path as a person writes it, e.g. `schedule.runs[0]`. */
  readonly key: string;
  readonly value: unknown;
  /** `default`, the file, or the option that goes before both. */
  readonly source: string;
  /** In the file. */
  readonly line?: number;
}

/**
 * Every value that holds, in the order of the schema, and where it comes from. A list of plain values
 * is one setting; of other lists each item is. What has no default and is not set is not there.
 */
export function listSettings(loaded: LoadedConfig, options: Partial<Pick<Config, 'kubeconfig'>> = {}) {
  return leavesOf({ ...loaded.config, ...options }, []).map(({ path, value }): Setting => {
    const setting = { path, key: nameOf(path), value };
    const [first = ''] = path;
    if (path.length === 1 && first in options) return { ...setting, source: `--${first}` };
    const line = loaded.lineOf(path);
    if (line === undefined || loaded.source === undefined) return { ...setting, source: 'default' };
    return { ...setting, source: loaded.source, line };
  });
}

type Path = Setting['path'];

function leavesOf(value: unknown, path: Path): readonly { path: Path; value: unknown }[] {
  const inner = innerOf(value, path);
  if (inner.length === 0) return [{ path, value }];
  return inner.flatMap(([key, innerValue]) => leavesOf(innerValue, [...path, key]));
}

function innerOf(value: unknown, path: Path): readonly (readonly [string | number, unknown])[] {
  const isItem = typeof path.at(-1) === 'number';
  if (isItem || typeof value !== 'object' || value === null) return [];
  if (!Array.isArray(value)) return Object.entries(value);
  return value.some((item) => typeof item === 'object') ? [...value.entries()] : [];
}

function nameOf(path: Path): string {
  const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  return name.slice(1);
}
