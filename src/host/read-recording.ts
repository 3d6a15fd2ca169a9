import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import { readTextFile } from './read-text-file.ts';
import { type Recording, recordingSchema } from './recording-format.ts';
import { systemErrorCode } from './system-error.ts';

export interface LoadedRecording {
  readonly recording: Recording;
  /** Where a text file that the recording names lies; every one was found to be there. */
  readonly pathOf: (name: string) => string;
}

/**
 * Reads `host.json` of a recorded host and makes sure that every file it names is there and lies
 * inside the folder. Throws DoctorError `usage`, saying where and what was expected.
 */
export async function readRecording(folder: string): Promise<LoadedRecording> {
  const path = join(folder, 'host.json');
  const file = await readTextFile(path);
  if (file.kind === 'absent') throw await missing(folder);
  if (file.kind === 'unreadable') throw new DoctorError('usage', `${path}: cannot be read: ${file.reason}`);
  const recording = parse(path, file.text);

  const root = await realpath(folder);
  for (const name of textFileNames(recording)) {
    const problem = await textFileProblem(root, name);
    if (problem !== undefined)
      throw new DoctorError('usage', `${path}: it names ${name}, ${problem}`, { hint });
  }
  return { recording, pathOf: (name) => join(root, name) };
}

const hint = 'expected a recorded host: a folder with a host.json and the text files it names';

async function missing(folder: string): Promise<DoctorError> {
  const isThere = (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
  const what = isThere ? 'there is no host.json in it' : 'there is no such folder';
  return new DoctorError('usage', `${folder}: ${what}`, { hint });
}

function parse(path: string, text: string): Recording {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DoctorError('usage', `${path}: not JSON: ${error.message}`, { hint });
  }
  const parsed = recordingSchema().safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${path}: ${placeOf(issue.path)}${issue.message}`);
  throw new DoctorError('usage', issues.slice(0, 10).join('\n'), { hint });
}

/** `commands[3].stdout: ` */
function placeOf(keys: readonly PropertyKey[]): string {
  if (keys.length === 0) return '';
  const place = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${place.replace(/^\./, '')}: `;
}

function textFileNames({ commands, files, kube, http }: Recording): ReadonlySet<string> {
  const names = [
    ...commands.map(({ stdout }) => stdout),
    ...files.map(({ content }) => content),
    ...kube.map(({ body }) => body),
    ...http.map(({ body }) => body),
  ];
  return new Set(names.filter((name) => name !== undefined));
}

/** A name cannot climb out of the folder (the schema sees to that), but a symbolic link can. */
async function textFileProblem(root: string, name: string): Promise<string | undefined> {
  try {
    const real = await realpath(join(root, name));
    if (!real.startsWith(root + sep)) return 'which lies outside the folder';
    return (await stat(real)).isFile() ? undefined : 'which is not a regular file';
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' ? 'which is not there' : `which cannot be looked at (${code})`;
  }
}
