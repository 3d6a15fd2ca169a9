import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../../src/host/host.ts';
import type { RecordingInput } from '../../../src/host/recording-format.ts';
import { replayingHost } from '../../../src/host/replaying.ts';
import { temporaryFolder } from '../../host/temporary-folder.ts';

export interface MadeUpNode extends Omit<Partial<RecordingInput>, 'version' | 'recordedAt'> {
  /** Files of the recording that `stdout`, `content` and `body` name. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** A host that answers what is written here and knows nothing else; `live` takes the place of its members. */
export async function madeUpNode({ texts = {}, ...recording }: MadeUpNode, live: Partial<Host> = {}) {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const host = { version: 1, recordedAt: '2026-01-02T03:04:05Z', ...recording };
  writeFileSync(join(folder, 'host.json'), JSON.stringify(host));
  return { ...(await replayingHost(folder)), ...live };
}
