import { isDeepStrictEqual } from 'node:util';
import type { CommandResult, FileResult, Host, KubeResult, ProcessInfo, TextEncoding } from './host.ts';
import { dnsEntry, dnsKey } from './recorded-dns.ts';
import { createRecordingFolder, type RecordingFolder } from './recording-folder.ts';
import type { RecordingInput } from './recording-format.ts';
import { isSecretPath, isSecretRequest, notRecordedSecret, withoutSecrets } from './secrets.ts';
import { withoutSecretLines } from './without-secret-lines.ts';

export interface RecordingHost extends Host {
  /** Writes the folder. Throws DoctorError `usage` when it cannot be written. */
  finish(): Promise<void>;
}

/** One element of a list in host.json. */
type Entry<K extends keyof RecordingInput> =
  NonNullable<RecordingInput[K]> extends readonly (infer E)[] ? E : never;

/**
 * Passes everything on to another host and remembers the answers; `finish` writes them to a folder
 * that `replayingHost` takes. What changes the host (commands with input, writes, patches, locks) is
 * not recorded, nor is what only a fix asks (the state of files), nor kubeconfigs and other secrets.
 * Throws DoctorError `usage` when the folder is in use or cannot be made.
 */
export async function recordingHost(inner: Host, folder: string): Promise<RecordingHost> {
  const target = await createRecordingFolder(folder);
  const recordedAt = inner.now().toISOString();
  const commands = answerLog<Entry<'commands'>>();
  const files = answerLog<Entry<'files'>>();
  const directories = answerLog<Entry<'directories'>>();
  const kube = answerLog<Entry<'kube'>>();
  const connects = answerLog<Entry<'connects'>>();
  const dns = answerLog<Entry<'dns'>>();
  const http = answerLog<Entry<'http'>>();
  let processes: readonly ProcessInfo[] = [];
  const addresses: { ipv4?: string[]; ipv6?: string[] } = {};
  return {
    kind: inner.kind,
    run: async (command) => {
      const result = await inner.run(command);
      const { tool, args, encoding } = command;
      if (command.input === undefined) {
        commands.note([tool, ...args], result, () => ({
          tool,
          args: [...args],
          ...commandEntry(result, (text) => target.addText([tool, ...args], text, encoding)),
        }));
      }
      return result;
    },
    runLines: async (command, onLine) => {
      const lines: string[] = [];
      const result = await inner.runLines(command, (line) => {
        lines.push(line);
        onLine(line);
      });
      const { tool, args } = command;
      const whole =
        result.kind === 'exited' ? { ...result, stdout: lines.map((line) => `${line}\n`).join('') } : result;
      commands.note([tool, ...args], whole, () => ({
        tool,
        args: [...args],
        ...commandEntry(whole, (text) => target.addText([tool, ...args], text, 'latin1')),
      }));
      return result;
    },
    readFile: async (path, encoding) => {
      const result = await inner.readFile(path, encoding);
      const kept: FileResult = isSecretPath(path)
        ? { kind: 'unreadable', reason: notRecordedSecret }
        : result.kind === 'read'
          ? { kind: 'read', text: withoutSecretLines(path, result.text) }
          : result;
      files.note([path], kept, () => ({ path, ...fileEntry({ path, file: kept, encoding, target }) }));
      return result;
    },
    listDirectory: async (path) => {
      const entries = await inner.listDirectory(path);
      directories.note([path], entries, () =>
        entries === undefined
          ? { path, absent: true }
          : {
              path,
              entries: entries.map(({ name, modifiedAt }) => ({
                name,
                modifiedAt: modifiedAt.toISOString(),
              })),
            },
      );
      return entries;
    },
    listProcesses: async () => {
      processes = await inner.listProcesses();
      return processes;
    },
    kubeGet: async (path) => {
      const result = await inner.kubeGet(path);
      const kept: KubeResult = isSecretRequest(path)
        ? { kind: 'unavailable', reason: notRecordedSecret }
        : result;
      kube.note([path], kept, () =>
        kept.kind === 'ok'
          ? { path, body: target.addText(['kube', path], kept.body), source: kept.source }
          : {
              path,
              unavailable: kept.reason,
              ...(kept.status !== undefined && { status: kept.status }),
            },
      );
      return result;
    },
    connectTcp: async (address, port, timeoutMs) => {
      const result = await inner.connectTcp(address, port, timeoutMs);
      connects.note([address, port], result, () =>
        result.kind === 'not-tried'
          ? { address, port, notTried: result.reason }
          : { address, port, result: result.kind, localPort: result.localPort },
      );
      return result;
    },
    localAddresses: async (family) => {
      const found = await inner.localAddresses(family);
      addresses[family] = [...found];
      return found;
    },
    askDns: async (questions, process) => {
      const answers = await inner.askDns(questions, process);
      for (const [index, question] of questions.entries()) {
        const answer = answers[index];
        if (answer === undefined) continue;
        dns.note(dnsKey(question, process), answer, () => dnsEntry(question, process, answer));
      }
      return answers;
    },
    httpGet: async (url, timeoutMs) => {
      const result = await inner.httpGet(url, timeoutMs);
      http.note([url], result, () =>
        result.kind === 'ok'
          ? { url, body: target.addText(['http', url], result.body) }
          : { url, unavailable: result.reason },
      );
      return result;
    },
    kubeApply: (path, manifest) => inner.kubeApply(path, manifest),
    kubeDelete: (path, expected) => inner.kubeDelete(path, expected),
    fileStatus: (path) => inner.fileStatus(path),
    now: () => inner.now(),
    locate: (tool) => inner.locate(tool),
    selfEnvironment: inner.selfEnvironment,
    kubePatch: (path, patch) => inner.kubePatch(path, patch),
    writeDurably: (path, text) => inner.writeDurably(path, text),
    appendDurably: (path, line) => inner.appendDurably(path, line),
    installFile: (path, file, expected) => inner.installFile(path, file, expected),
    removeFile: (path, expected) => inner.removeFile(path, expected),
    removeEmptyFolder: (path) => inner.removeEmptyFolder(path),
    lock: (path, holder) => inner.lock(path, holder),
    startDetached: (argv) => inner.startDetached(argv),
    killProcess: (pid) => inner.killProcess(pid),
    endLeftBehind: (pid, started) => inner.endLeftBehind(pid, started),
    sameNetworkAsInit: () => inner.sameNetworkAsInit(),
    finish: () =>
      target.write({
        version: 1,
        recordedAt,
        commands: commands.entries(),
        files: files.entries(),
        directories: directories.entries(),
        processes: processes.map((process) => {
          const { pid, name, args } = withoutSecrets(process);
          return { pid, name, args: [...args] };
        }),
        localAddresses: addresses,
        kube: kube.entries(),
        connects: connects.entries(),
        dns: dns.entries(),
        http: http.entries(),
      }),
  };
}

interface AnswerLog<E> {
  note(question: readonly unknown[], answer: unknown, entry: () => E): void;
  entries(): E[];
}

/** Leaves out an answer that is the same as the one before: on replay the last one is repeated. */
function answerLog<E>(): AnswerLog<E> {
  const latest = new Map<string, unknown>();
  const log: (() => E)[] = [];
  return {
    note: (question, answer, entry) => {
      const key = JSON.stringify(question);
      if (latest.has(key) && isDeepStrictEqual(latest.get(key), answer)) return;
      latest.set(key, answer);
      log.push(entry);
    },
    entries: () => log.map((entry) => entry()),
  };
}

function commandEntry(
  result: CommandResult,
  addText: (text: string) => string,
): Omit<Entry<'commands'>, 'tool' | 'args'> {
  switch (result.kind) {
    case 'absent':
      return { absent: true };
    case 'timeout':
      return { timeout: true };
    case 'failed-to-start':
      return { failedToStart: result.reason };
    case 'exited': {
      const { exitCode, stdout, stderr } = result;
      return {
        exitCode,
        ...(stdout === '' ? {} : { stdout: addText(stdout) }),
        ...(stderr === '' ? {} : { stderr }),
      };
    }
  }
}

function fileEntry({
  path,
  file,
  encoding,
  target,
}: {
  path: string;
  file: FileResult;
  encoding: TextEncoding | undefined;
  target: RecordingFolder;
}): Omit<Entry<'files'>, 'path'> {
  if (file.kind === 'absent') return { absent: true };
  if (file.kind === 'unreadable') return { unreadable: file.reason };
  return file.text === '' ? { text: '' } : { content: target.addText([path], file.text, encoding) };
}
