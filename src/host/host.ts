/**
 * The one door to the machine.
 *
 * Everything the product learns about a node or does to it goes through a `Host`: live on a node,
 * recording (live, and kept in a folder), or replaying such a folder. Nothing outside this folder
 * may touch the file system, start a process or open a socket.
 */
import type { Tool } from './tools.ts';

export interface Host {
  /** `replay` hosts answer from a folder and refuse everything that would write. */
  readonly kind: 'live' | 'replay';
  /** Runs an external program to its end. Never throws for what the program does. */
  run(command: Command): Promise<CommandResult>;
  /**
   * The same, with its output handed over line by line (latin1) instead of in the result, so that a
   * large one is never held whole.
   */
  runLines(command: Command, onLine: (line: string) => void): Promise<CommandResult>;
  readFile(path: string, encoding?: TextEncoding): Promise<FileResult>;
  /** Names in a directory with their last modification, `undefined` when it cannot be listed. */
  listDirectory(path: string): Promise<readonly DirectoryEntry[] | undefined>;
  /** Every process that can be seen, by the name the kernel knows it by. */
  listProcesses(): Promise<readonly ProcessInfo[]>;
  /** What is at a path; a link is not followed. */
  fileStatus(path: string): Promise<FileStatus>;
  /** GET on the Kubernetes API, `path` beginning with `/`. */
  kubeGet(path: string): Promise<KubeResult>;
  /** JSON patch (RFC 6902, as text) of one object. */
  kubePatch(path: string, patch: string): Promise<KubePatchResult>;
  /**
   * Server-side apply (JSON text) of one object as field manager `k3s-doctor`, never by force: it is made if
   * it is not there, and a field that another manager owns is a `conflict`.
   */
  kubeApply(path: string, manifest: string): Promise<KubePatchResult>;
  /** Deletes one object if it is still the one that was read. `patched` also when it is not there. */
  kubeDelete(path: string, expected: ObjectVersion): Promise<KubePatchResult>;
  /**
   * Asks DNS servers, all at the same time, one packet or connection each; answers in the order of the
   * questions. With `process` from inside that process's network namespace.
   */
  askDns(questions: readonly DnsQuestion[], process?: number): Promise<readonly DnsAnswer[]>;
  /** GET over plain HTTP, as of a pod's metrics. At most 4 MiB; no redirect is followed. */
  httpGet(url: string, timeoutMs: number): Promise<HttpResult>;
  /** Opens and at once closes a TCP connection. Used to learn which nat table translates it. */
  connectTcp(address: string, port: number, timeoutMs: number): Promise<ConnectResult>;
  /** This node's own addresses of a family, without loopback and link-local ones. */
  localAddresses(family: 'ipv4' | 'ipv6'): Promise<readonly string[]>;
  now(): Date;
  /** The command line that `run` would start for a tool, program first; undefined when there is none. */
  locate(tool: Tool): readonly string[] | undefined;
  /** What `k3s-doctor` gets of the environment besides what every program gets: the way to the cluster. */
  readonly selfEnvironment: Environment;
  /**
   * Replaces or makes a file (mode 0600, parents 0700) so that after a crash it is the old or the new
   * one. `text` is latin1: a character beyond it has to be escaped.
   */
  writeDurably(path: string, text: string): Promise<WriteResult>;
  /** Adds a line to a file, in UTF-8; on disk when this returns. */
  appendDurably(path: string, line: string): Promise<WriteResult>;
  /**
   * Replaces or makes a file of somebody else's, by rename; missing folders above it are made, 0755.
   * It is written beside it first, as `.NAME.k3s-doctor`. Fails over anything but a regular file, and
   * when right before the rename there is not what is expected.
   */
  installFile(path: string, file: FileContent, expected?: ExpectedFile): Promise<WriteResult>;
  /** Of a regular file that is as expected. What is not there is removed already. */
  removeFile(path: string, expected?: ExpectedFile): Promise<WriteResult>;
  /** A folder that holds something stays, and counts as failed. */
  removeEmptyFolder(path: string): Promise<WriteResult>;
  /** Takes a lock that goes with this process, whatever ends it. `holder` is what others are told. */
  lock(path: string, holder: string): Promise<LockResult>;
  /** Starts the k3s-doctor as a process that outlives this one, in a session of its own, without input and output. */
  startDetached(argv: readonly string[]): Promise<WriteResult>;
  /** SIGKILL; false when there is no such process any more, or it is this one. */
  killProcess(pid: number): boolean;
  /**
   * Ends what a process that is gone had run and left behind, by its id and its start in clock ticks
   * since boot. Returns the ids of those that are still there.
   */
  endLeftBehind(pid: number, started: string): Promise<readonly number[]>;
  /** Whether process 1 shares our network, so that what systemd starts sees the same firewall; undefined: cannot be told. */
  sameNetworkAsInit(): boolean | undefined;
}

export type Environment = Readonly<Record<string, string>>;

export interface FileContent {
  readonly text: string;
  /** Default `utf8`. */
  readonly encoding?: TextEncoding | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Compared byte by byte. */
export interface ExpectedFile {
  /** Null: there is no file. */
  readonly text: string | null;
  /** Default `utf8`. */
  readonly encoding?: TextEncoding | undefined;
}

export type FileStatus =
  | { readonly kind: 'file'; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly kind: 'absent' }
  /** `what`: `a folder`, `a symbolic link`, ... */
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** `conflict`: the object is not as the patch's tests say, or changed meanwhile. */
export type KubePatchResult =
  | { readonly kind: 'patched'; readonly body: string }
  | { readonly kind: 'conflict' | 'unavailable'; readonly reason: string };

export interface ObjectVersion {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** One question to one DNS server. */
export interface DnsQuestion {
  /** IP address; an IPv6 one may have a zone (`fe80::1%eth0`). */
  readonly server: string;
  /** Default 53; 853 with TLS. */
  readonly port?: number;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** What the server's certificate has to be for; without it, for its address. */
  readonly serverName?: string;
  /** Without the dot at its end; the root is the empty text. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'NS' | 'SOA';
  readonly timeoutMs: number;
}

export type DnsAnswer =
  /** It said something to the question, if only that it will not answer. */
  | {
      readonly kind: 'answered';
      /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, ... */
      readonly code: string;
      /** Data of the answer section, in its order: addresses, names. */
      readonly records: readonly string[];
      readonly truncated: boolean;
      readonly elapsedMs: number;
    }
  | { readonly kind: 'timed-out'; readonly timeoutMs: number }
  /** Refused by ICMP, a reset, or this machine itself: nobody listens there, or a firewall rejects it. */
  | { readonly kind: 'blocked'; readonly reason: string }
  /** Something came back, and none of it was an answer to this question (its id or name was another one). */
  | { readonly kind: 'wrong-answer'; readonly reason: string }
  | { readonly kind: 'not-asked'; readonly reason: string };

export type HttpResult =
  | { readonly kind: 'ok'; readonly body: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type WriteResult = { readonly kind: 'written' } | { readonly kind: 'failed'; readonly reason: string };

export type LockResult =
  | { readonly kind: 'held'; readonly release: () => Promise<void> }
  | { readonly kind: 'busy'; readonly holder: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** `latin1` keeps every byte: what was read can be written back unchanged. */
export type TextEncoding = 'utf8' | 'latin1';

export interface Command {
  readonly tool: Tool;
  readonly args: readonly string[];
  readonly input?: string;
  /** Of output and input; default `utf8`. */
  readonly encoding?: TextEncoding;
  /** The program is killed (SIGKILL) after this; default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * `absent`: there is no such program on this machine.
 * `timeout`: it was killed because it did not end in time.
 * `failed-to-start`: it is there and could not be executed, or printed more than can be held.
 */
export type CommandResult =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'absent'; readonly looked: readonly string[] }
  | { readonly kind: 'failed-to-start'; readonly reason: string };

export type FileResult =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface DirectoryEntry {
  readonly name: string;
  readonly modifiedAt: Date;
  /** Undefined where it was not recorded. */
  readonly bytes?: number;
}

export interface ProcessInfo {
  readonly pid: number;
  /** /proc/PID/comm, at most 15 characters. */
  readonly name: string;
  /** Arguments as the process shows them, the program first; empty for kernel threads. */
  readonly args: readonly string[];
}

export type KubeResult =
  | { readonly kind: 'ok'; readonly body: string; readonly source: string }
  /** `reason` is one line for a person: no kubeconfig, refused, certificate expired, forbidden (which verb and resource), too slow. */
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      /** Of the last answer, if there was one: 404 means that there is no such object. */
      readonly status?: number;
    };

export type ConnectResult =
  | { readonly kind: 'connected' | 'refused' | 'no-answer'; readonly localPort: number | undefined }
  | { readonly kind: 'not-tried'; readonly reason: string };
