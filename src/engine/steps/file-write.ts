import type { Host } from '../../host/host.ts';
import { count } from '../count.ts';
import type { FileWriteStep } from '../step.ts';
import { isObject, parseObject, printObject } from './json-object.ts';
import { printWords } from './print-words.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

export interface FileBefore {
  /** Null: there was none. */
  readonly file: {
    /** In the step's encoding. */
    readonly content: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  } | null;
  /** Folders above it that were not there, the innermost first. */
  readonly missingFolders: readonly string[];
}

/**
 * Makes, replaces or removes one file.
 *
 * Content is compared, here and once more right before the rename: what somebody else wrote since the
 * plan was made is not written over. Only a regular file is touched; a link, a folder or a device in
 * its place is left alone, as is a file that is not text in the step's encoding. No reason quotes the
 * content, which may be secret.
 */
export const fileWrite: StepKind<FileWriteStep, FileBefore> = {
  describe,
  probe,
  apply,
  verify,
  revert(step, { file, missingFolders }) {
    return {
      kind: 'file-write',
      path: step.path,
      content: file?.content ?? null,
      basedOn: step.content,
      mode: file?.mode ?? step.mode,
      ...(file && { owner: { uid: file.uid, gid: file.gid } }),
      ...(step.encoding && { encoding: step.encoding }),
      ...(missingFolders.length > 0 && { removesFolders: missingFolders }),
    };
  },
  backup: {
    name: ({ path }) =>
      `${nameOf(path)
        .replace(/[^\w.-]/g, '_')
        .slice(-80)}.json`,
    print: printObject,
    parse,
  },
};

function describe({ path, content, basedOn, mode, owner, encoding }: FileWriteStep): StepDescription {
  const about = {
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: path.startsWith('/run/'),
  };
  const target = printWords([path]);
  if (content === null)
    return { ...about, title: `remove ${path}`, command: `rm ${target}`, input: undefined };
  const whose = owner ? `-o ${owner.uid} -g ${owner.gid} ` : '';
  const lines = content === '' ? 0 : content.replace(/\n$/, '').split('\n').length;
  return {
    ...about,
    title: `write ${path} (${count(lines, 'line')})`,
    // A file that is there keeps its owner and mode.
    command:
      basedOn === null ? `install -m ${mode.toString(8)} ${whose}/dev/stdin ${target}` : `tee ${target}`,
    input: encoding === 'latin1' ? Buffer.from(content, 'latin1').toString('utf8') : content,
  };
}

async function probe(step: FileWriteStep, { host }: StepContext): Promise<Probe<FileBefore>> {
  const found = await look(step, host);
  if (found.kind !== 'seen') return found;
  const content = found.before.file?.content ?? null;
  if (content === step.content) {
    const isLeft =
      (await halfWritten(step, host)) || (content === null && (await foldersAreLeft(step, host)));
    return isLeft ? { kind: 'needed', before: found.before } : { kind: 'done', notes: [] };
  }
  if (content === step.basedOn) return { kind: 'needed', before: found.before };
  return { kind: 'moved-on', reason: `${step.path} was changed since: ${difference(step.basedOn, content)}` };
}

type Seen =
  | { readonly kind: 'seen'; readonly before: FileBefore }
  | { readonly kind: 'moved-on'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

async function look({ path, encoding }: FileWriteStep, host: Host): Promise<Seen> {
  const status = await host.fileStatus(path);
  if (status.kind === 'other') return { kind: 'moved-on', reason: `${path} is ${status.what}, not a file` };
  if (status.kind === 'unreadable') return unreadable(path, status.reason);
  if (status.kind === 'absent') return lookAbove(path, host);
  const { mode, uid, gid } = status;
  const read = await host.readFile(path, 'latin1');
  if (read.kind === 'unreadable') return unreadable(path, read.reason);
  if (read.kind === 'absent') return { kind: 'moved-on', reason: `${path} went away just now` };
  const content = decode(read.text, encoding);
  if (content === undefined) return { kind: 'moved-on', reason: `${path} is not UTF-8 text` };
  return { kind: 'seen', before: { file: { content, mode, uid, gid }, missingFolders: [] } };
}

function unreadable(path: string, reason: string): Seen {
  return { kind: 'failed', reason: `${path} cannot be looked at: ${reason}` };
}

async function lookAbove(path: string, host: Host): Promise<Seen> {
  const missingFolders: string[] = [];
  for (let folder = folderOf(path); folder !== '/'; folder = folderOf(folder)) {
    const status = await host.fileStatus(folder);
    if (status.kind === 'unreadable') return unreadable(folder, status.reason);
    if (status.kind === 'file') return { kind: 'moved-on', reason: `${folder} is a file, not a folder` };
    if (status.kind === 'other') break;
    missingFolders.push(folder);
  }
  return { kind: 'seen', before: { file: null, missingFolders } };
}

/** Undefined when the bytes are not text in that encoding. */
function decode(bytes: string, encoding: FileWriteStep['encoding']): string | undefined {
  if (encoding === 'latin1') return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return Buffer.from(text, 'utf8').toString('latin1') === bytes ? text : undefined;
}

/** Whether a process that was killed left the file under the name that it is written to first. */
async function halfWritten({ path }: FileWriteStep, host: Host): Promise<boolean> {
  return (await host.fileStatus(halfWrittenName(path))).kind === 'file';
}

function halfWrittenName(path: string): string {
  return `${folderOf(path)}/.${nameOf(path)}.k3s-doctor`.replace('//', '/');
}

/**
 * Whether a folder that is to go is there, and would be empty: a process that was killed after it made
 * the folder may have left it.
 */
async function foldersAreLeft({ path, removesFolders = [] }: FileWriteStep, host: Host): Promise<boolean> {
  for (const folder of removesFolders) {
    const entries = await host.listDirectory(folder);
    if (entries) return entries.every(({ name }) => halfWrittenName(path).endsWith(`/${name}`));
  }
  return false;
}

/** Without a word of what is in it. */
function difference(expected: string | null, found: string | null): string {
  if (expected === null) return 'it was not there';
  if (found === null) return 'it is gone';
  const lines = found.split('\n');
  const line = expected.split('\n').findIndex((text, index) => text !== lines[index]);
  return `line ${(line === -1 ? expected.split('\n').length : line) + 1} is another one`;
}

async function apply(step: FileWriteStep, before: FileBefore, { host }: StepContext): Promise<Written> {
  const { path, content, encoding } = step;
  const expected = { text: before.file?.content ?? null, encoding };
  if (content === null) return remove(step, expected, host);
  const { mode, uid, gid } = before.file ?? { mode: step.mode, ...(step.owner ?? { uid: 0, gid: 0 }) };
  return named(path, await host.installFile(path, { text: content, encoding, mode, uid, gid }, expected));
}

async function remove(
  { path, removesFolders = [] }: FileWriteStep,
  expected: Parameters<Host['removeFile']>[1],
  host: Host,
): Promise<Written> {
  const removed = await host.removeFile(path, expected);
  if (removed.kind === 'failed') return named(path, removed);
  for (const folder of removesFolders) {
    // One that holds something stays, and so do those around it; `verify` says so.
    if ((await host.removeEmptyFolder(folder)).kind === 'failed') break;
  }
  return removed;
}

function named(path: string, written: Written): Written {
  return written.kind === 'failed' ? { kind: 'failed', reason: `${path}: ${written.reason}` } : written;
}

async function verify(step: FileWriteStep, before: FileBefore, { host }: StepContext): Promise<Verdict> {
  const found = await look(step, host);
  if (found.kind === 'failed') return { kind: 'unreadable', reason: found.reason };
  if (found.kind === 'moved-on') return { kind: 'not-as-planned', reason: found.reason };
  const { file } = found.before;
  if ((file?.content ?? null) !== step.content) {
    const now = difference(step.content, file?.content ?? null);
    return { kind: 'not-as-planned', reason: `${step.path} is not as planned: ${now}` };
  }
  if (file === null) return { kind: 'as-planned', notes: await foldersThatStay(step, host) };
  const wanted = before.file ?? { mode: step.mode, ...(step.owner ?? { uid: 0, gid: 0 }) };
  const isTheirs = file.mode === wanted.mode && file.uid === wanted.uid && file.gid === wanted.gid;
  if (isTheirs) return { kind: 'as-planned', notes: [] };
  return { kind: 'not-as-planned', reason: `${step.path} has another owner or mode than planned` };
}

async function foldersThatStay({ removesFolders = [] }: FileWriteStep, host: Host): Promise<string[]> {
  const notes: string[] = [];
  for (const folder of removesFolders) {
    const status = await host.fileStatus(folder);
    if (status.kind !== 'absent') notes.push(`${folder} stays: there is something in it`);
  }
  return notes;
}

function parse(text: string): FileBefore | undefined {
  const value = parseObject(text);
  const missingFolders = value?.['missingFolders'];
  if (!Array.isArray(missingFolders) || !missingFolders.every((folder) => typeof folder === 'string')) {
    return undefined;
  }
  const file = value?.['file'];
  if (file === null) return { file, missingFolders };
  if (!isObject(file)) return undefined;
  const { content, mode, uid, gid } = file;
  if (typeof content !== 'string' || !isNatural(mode) || !isNatural(uid) || !isNatural(gid)) return undefined;
  return { file: { content, mode, uid, gid }, missingFolders };
}

function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
