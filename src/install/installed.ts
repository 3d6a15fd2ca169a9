import { createHash } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { FileWriteStep } from '../engine/step.ts';
import { isObject, parseObject, printObject } from '../engine/steps/json-object.ts';
import type { Host } from '../host/host.ts';
import type { ShippedFile } from './units.ts';

/** `<state>/installed.json`: what installs have put on this node. */
export interface Installed {
  /** As it is on disk; null: there is none. */
  readonly text: string | null;
  /** By path: SHA-256, in hex, of every content that an install wrote there. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Folders that were made on the way. */
  readonly folders: readonly string[];
}

/** A damaged file says nothing. */
export async function readInstalled(host: Host, config: Config): Promise<Installed> {
  const file = await host.readFile(installedFile(config));
  const text = file.kind === 'read' ? file.text : null;
  return { text, ...(parse(text ?? '') ?? { files: {}, folders: [] }) };
}

/** The record with these files in it, too; a content that is known already changes nothing. */
export function addInstalled(
  { files, folders }: Installed,
  shipped: readonly ShippedFile[],
  newFolders: readonly string[],
): Omit<Installed, 'text'> {
  const added = shipped.map(({ path, content }): [string, readonly string[]] => [
    path,
    [...new Set([...(files[path] ?? []), digest(content)])],
  ]);
  const all = Object.entries({ ...files, ...Object.fromEntries(added) });
  return {
    files: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))),
    folders: [...new Set([...folders, ...newFolders])].sort(),
  };
}

export function wasInstalled({ files }: Installed, path: string, content: string): boolean {
  return files[path]?.includes(digest(content)) === true;
}

/** Puts a record in place of the one that was read, or none; no step where it says the same. */
export function recordSteps(
  config: Config,
  before: Installed,
  after: Omit<Installed, 'text'> | null,
): FileWriteStep[] {
  const content = after === null ? null : printObject({ schemaVersion: 1, ...after });
  if (content === before.text) return [];
  return [{ kind: 'file-write', path: installedFile(config), content, basedOn: before.text, mode: 0o600 }];
}

function installedFile({ paths }: Config): string {
  return `${paths.state}/installed.json`;
}

function digest(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function parse(text: string): Omit<Installed, 'text'> | undefined {
  const { files, folders } = parseObject(text) ?? {};
  if (!isObject(files) || !isListOfText(folders)) return undefined;
  const entries = Object.entries(files).flatMap(([path, digests]) =>
    isListOfText(digests) ? [[path, digests] as const] : [],
  );
  return { files: Object.fromEntries(entries), folders };
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
