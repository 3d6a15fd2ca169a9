import { basename } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import { answerQueue } from './answer-queue.ts';
import type { Command, CommandResult, FileStatus, Host, TextEncoding } from './host.ts';
import { readRecording } from './read-recording.ts';
import { readTextFile } from './read-text-file.ts';
import { dnsReplay } from './recorded-dns.ts';
import type { RecordedCommand, Recording } from './recording-format.ts';

/**
 * The host that a folder describes (see recording-format.ts). It never touches the machine it runs
 * on, writes nothing, and what is not recorded does not exist on it.
 * Throws DoctorError `usage` when the folder cannot be used.
 */
export async function replayingHost(folder: string): Promise<Host> {
  const { recording, pathOf } = await readRecording(folder);
  const recordedAt = new Date(recording.recordedAt);
  const commands = answerQueue(recording.commands, ({ tool, args }) => commandQuestion(tool, args));
  const files = answerQueue(recording.files, ({ path }) => path);
  const directories = answerQueue(recording.directories, ({ path }) => path);
  const kube = answerQueue(recording.kube, ({ path }) => path);
  const connects = answerQueue(recording.connects, ({ address, port }) => `${address} ${port}`);
  const dns = dnsReplay(recording.dns);
  const http = answerQueue(recording.http, ({ url }) => url);
  const readText = (name: string, encoding?: TextEncoding) => readRecordedText(pathOf(name), encoding);

  const run = async (command: Command): Promise<CommandResult> => {
    if (command.input !== undefined) return { kind: 'failed-to-start', reason: refused.reason };
    const { tool, args } = command;
    const recorded = commands(commandQuestion(tool, args)) ?? commands(commandQuestion(tool));
    return recorded === undefined ? notRecorded : commandResult(command, recorded, readText);
  };

  return {
    kind: 'replay',
    run,
    runLines: async (command, onLine) => {
      const result = await run({ ...command, encoding: 'latin1' });
      if (result.kind !== 'exited') return result;
      for (const line of result.stdout.replace(/\n$/, '').split('\n')) onLine(line);
      return { ...result, stdout: '' };
    },
    readFile: async (path, encoding = 'utf8') => {
      const recorded = files(path);
      if (recorded?.unreadable !== undefined) return { kind: 'unreadable', reason: recorded.unreadable };
      if (recorded?.text !== undefined) {
        return { kind: 'read', text: Buffer.from(recorded.text).toString(encoding) };
      }
      if (recorded?.content === undefined) return { kind: 'absent' };
      return { kind: 'read', text: await readText(recorded.content, encoding) };
    },
    listDirectory: async (path) =>
      directories(path)?.entries?.map((entry) =>
        typeof entry === 'string'
          ? { name: entry, modifiedAt: recordedAt }
          : { name: entry.name, modifiedAt: new Date(entry.modifiedAt) },
      ),
    listProcesses: async () =>
      recording.processes.map(({ pid, name, args }, index) => ({ pid: pid ?? 1000 + index, name, args })),
    kubeGet: async (path) => {
      const recorded = kube(path) ?? kube(path.split('?')[0] ?? path);
      if (recorded?.body === undefined) {
        const { unavailable: reason = 'not recorded', status } = recorded ?? {};
        return { kind: 'unavailable', reason, ...(status !== undefined && { status }) };
      }
      const source = recorded.source ?? `the recording ${basename(folder)}`;
      return { kind: 'ok', body: await readText(recorded.body), source };
    },
    connectTcp: async (address, port) => {
      const recorded = connects(`${address} ${port}`);
      if (recorded?.result === undefined) {
        return { kind: 'not-tried', reason: recorded?.notTried ?? 'not recorded' };
      }
      return { kind: recorded.result, localPort: recorded.localPort };
    },
    localAddresses: async (family) => recording.localAddresses[family],
    fileStatus: async (path) => recordedStatus(recording, path),
    askDns: async (questions, process) => questions.map((question) => dns(question, process)),
    httpGet: async (url) => {
      const recorded = http(url);
      if (recorded?.body !== undefined) return { kind: 'ok', body: await readText(recorded.body) };
      return { kind: 'unavailable', reason: recorded?.unavailable ?? 'not recorded' };
    },
    kubeApply: async () => ({ kind: 'unavailable', reason: refused.reason }),
    kubeDelete: async () => ({ kind: 'unavailable', reason: refused.reason }),
    now: () => new Date(recordedAt),
    locate: () => undefined,
    selfEnvironment: {},
    kubePatch: async () => ({ kind: 'unavailable', reason: refused.reason }),
    writeDurably: async () => refused,
    appendDurably: async () => refused,
    installFile: async () => refused,
    removeFile: async () => refused,
    removeEmptyFolder: async () => refused,
    lock: async () => refused,
    startDetached: async () => refused,
    killProcess: () => false,
    endLeftBehind: async () => [],
    sameNetworkAsInit: () => undefined,
  };
}

const refused = { kind: 'failed', reason: 'a recorded host cannot be changed' } as const;

const notRecorded: CommandResult = { kind: 'absent', looked: ['the recording'] };

/** Owner and mode are not recorded: those that most files of a system have. Takes no answer from the queue. */
function recordedStatus({ files, directories }: Recording, path: string): FileStatus {
  if (directories.some((directory) => directory.path === path && !directory.absent)) {
    return { kind: 'other', what: 'a folder' };
  }
  const file = files.find((recorded) => recorded.path === path);
  if (file === undefined || file.absent) return { kind: 'absent' };
  if (file.unreadable !== undefined) return { kind: 'unreadable', reason: file.unreadable };
  return { kind: 'file', mode: 0o644, uid: 0, gid: 0 };
}

function commandQuestion(tool: string, args?: readonly string[]): string {
  return args === undefined ? tool : JSON.stringify([tool, ...args]);
}

async function commandResult(
  command: Command,
  recorded: RecordedCommand,
  readText: (name: string, encoding?: TextEncoding) => Promise<string>,
): Promise<CommandResult> {
  if (recorded.absent) return notRecorded;
  if (recorded.timeout) return { kind: 'timeout', timeoutMs: command.timeoutMs ?? 10_000 };
  if (recorded.failedToStart !== undefined)
    return { kind: 'failed-to-start', reason: recorded.failedToStart };
  const { exitCode = 0, stdout, stderr = '' } = recorded;
  const text = stdout === undefined ? '' : await readText(stdout, command.encoding);
  return { kind: 'exited', exitCode, stdout: text, stderr };
}

async function readRecordedText(path: string, encoding?: TextEncoding): Promise<string> {
  const file = await readTextFile(path, encoding);
  if (file.kind === 'read') return file.text;
  const why = file.kind === 'absent' ? 'it is gone' : file.reason;
  throw new DoctorError('usage', `${path}: cannot be read: ${why}`, {
    hint: 'leave the recording alone while it is replayed',
  });
}
