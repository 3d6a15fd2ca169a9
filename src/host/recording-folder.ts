import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import type { TextEncoding } from './host.ts';
import type { RecordingInput } from './recording-format.ts';
import { describeSystemError } from './system-error.ts';

export interface RecordingFolder {
  /** Chooses a readable name made of `words` for a text to be written, and returns it. */
  readonly addText: (words: readonly string[], text: string, encoding?: TextEncoding) => string;
  /** Writes the texts and then `host.json`. */
  readonly write: (recording: RecordingInput) => Promise<void>;
}

/** Makes an empty folder for a recording, for its owner alone. Throws DoctorError `usage`. */
export async function createRecordingFolder(folder: string): Promise<RecordingFolder> {
  await explained(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length === 0) return;
    throw new DoctorError('usage', `${folder}: the folder for a recording is not empty`, {
      hint: 'name a folder that does not exist yet',
    });
  });
  const texts = new Map<string, { readonly text: string; readonly encoding: TextEncoding }>();
  return {
    addText: (words, text, encoding = 'utf8') => {
      const name = freeName(wordsToName(words), text, texts);
      texts.set(name, { text, encoding });
      return name;
    },
    write: (recording) =>
      explained(folder, async () => {
        for (const [name, { text, encoding }] of texts) {
          const path = join(folder, name);
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
          await writeFile(path, text, { encoding, mode: 0o600 });
        }
        const json = `${JSON.stringify(recording, undefined, 2)}\n`;
        await writeFile(join(folder, 'host.json'), json, { mode: 0o600 });
      }),
  };
}

async function explained(folder: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DoctorError) throw error;
    throw new DoctorError(
      'usage',
      `${folder}: the recording cannot be written there: ${describeSystemError(error)}`,
      {
        hint: 'name a folder on a writable file system with room',
        cause: error,
      },
    );
  }
}

/** `crictl pods`, `proc-net-ip_tables_names`, `kube/endpointslices`: flags say little and are left out. */
function wordsToName(words: readonly string[]): string {
  const [first = '', last = ''] = words;
  if (first === 'kube') return `kube/${slug(last.split('?')[0]?.split('/').at(-1) ?? '')}`;
  return slug(words.filter((word) => !word.startsWith('-')).join('-'));
}

function slug(text: string): string {
  const readable = text.replace(/[^A-Za-z0-9._]+/g, '-').replace(/^[-.]+|-+$/g, '');
  return readable.slice(0, 80) || 'text';
}

function freeName(stem: string, text: string, taken: { has(name: string): boolean }): string {
  const extension = /^\s*[[{]/.test(text) ? '.json' : '.txt';
  const bare = stem.endsWith(extension) ? stem.slice(0, -extension.length) : stem;
  let name = `${bare}${extension}`;
  for (let copy = 2; taken.has(name) || name === 'host.json'; copy += 1) name = `${bare}-${copy}${extension}`;
  return name;
}
