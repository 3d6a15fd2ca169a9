import type { Config } from '../../config/config.ts';
import type { Host, WriteResult } from '../../host/host.ts';
import { jsonLine } from '../json-line.ts';
import { emptyState, parseState } from './parse-state.ts';
import type { State } from './state.ts';

export interface StateReading {
  readonly state: State;
  /** One line: why nothing is remembered though there is a file. */
  readonly problem?: string;
  /** What to give to `setAside`; undefined where the file could not even be read. */
  readonly unusable?: string;
}

/** A state of 50,000 findings is a third of this. */
const maxCharacters = 32 * 1024 * 1024;

/** Reads what is remembered, and writes nothing. What cannot be used counts as nothing seen yet. */
export async function readState(host: Host, config: Config): Promise<StateReading> {
  const path = stateFile(config);
  const file = await host.readFile(path, 'latin1');
  if (file.kind === 'absent') return { state: emptyState };
  if (file.kind === 'unreadable') return { state: emptyState, problem: problem(path, file.reason) };
  const { text } = file;
  if (text.length > maxCharacters)
    return { state: emptyState, problem: problem(path, 'it is too large'), unusable: text };
  const parsed = parseState(Buffer.from(text, 'latin1').toString());
  if (parsed.kind === 'state') return { state: parsed.state };
  const state = parsed.paused ? { ...emptyState, paused: parsed.paused } : emptyState;
  return { state, problem: problem(path, parsed.reason), unusable: text };
}

export function writeState(host: Host, config: Config, state: State): Promise<WriteResult> {
  return host.writeDurably(stateFile(config), `${jsonLine(state)}\n`);
}

/** Moves an unusable state file out of the way and keeps the last five of them. */
export async function setAside(
  host: Host,
  config: Config,
  { unusable, state }: StateReading,
): Promise<WriteResult> {
  if (unusable === undefined) return { kind: 'written' };
  const stamp = host.now().toISOString().replace(/[-:.]/g, '');
  const name = `${asidePrefix}${stamp}`;
  const kept = await host.writeDurably(`${config.paths.state}/${name}`, unusable.slice(0, maxCharacters));
  if (kept.kind === 'failed') return kept;
  await removeOldest(host, config, name);
  return state.paused ? writeState(host, config, state) : host.removeFile(stateFile(config));
}

const asidePrefix = 'state.json.unreadable-';

/** Whatever the clock said when they were written, the newest stays. */
async function removeOldest(host: Host, { paths }: Config, newest: string): Promise<void> {
  const entries = (await host.listDirectory(paths.state)) ?? [];
  const others = entries
    .map(({ name }) => name)
    .filter((name) => name.startsWith(asidePrefix) && name !== newest);
  for (const name of others.sort().reverse().slice(4)) await host.removeFile(`${paths.state}/${name}`);
}

function stateFile({ paths }: Config): string {
  return `${paths.state}/state.json`;
}

function problem(path: string, reason: string): string {
  return `${path} cannot be used: ${reason}; every finding counts as not seen before`;
}
