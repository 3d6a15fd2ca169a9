import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { createFactContext, type Fact, type FactContext } from '../../../src/engine/fact.ts';
import type { CommandResult, Host, HttpResult, KubeResult } from '../../../src/host/host.ts';

/** What there is on a node that is made up; everything else is absent, and nobody may write. */
export interface Has {
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  /** By the whole command line. */
  readonly commands?: Readonly<Record<string, CommandResult>>;
  readonly http?: (url: string) => HttpResult;
  readonly kube?: (path: string) => KubeResult;
  readonly config?: Config;
  /** Facts as they are to be, by their id. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface HostOf {
  readonly context: FactContext;
  /** In order: command lines, `GET url`, `GET path`. */
  readonly asked: readonly string[];
}

export function hostOf({
  files = {},
  folders = {},
  commands = {},
  http,
  kube,
  config,
  facts = {},
}: Has): HostOf {
  const asked: string[] = [];
  const host: Partial<Host> = {
    now: () => new Date(0),
    listProcesses: async () => [],
    async readFile(path) {
      const text = files[path];
      return text === undefined ? { kind: 'absent' } : { kind: 'read', text };
    },
    async listDirectory(path) {
      return folders[path]?.map((name) => ({ name, modifiedAt: new Date(0) }));
    },
    async run({ tool, args }) {
      const line = [tool, ...args].join(' ');
      asked.push(line);
      return commands[line] ?? { kind: 'exited', exitCode: 2, stdout: '', stderr: '' };
    },
    async httpGet(url) {
      asked.push(`GET ${url}`);
      return http?.(url) ?? { kind: 'unavailable', reason: 'no answer' };
    },
    async kubeGet(path) {
      asked.push(`GET ${path}`);
      return kube?.(path) ?? { kind: 'unavailable', reason: 'no kubeconfig found' };
    },
  };
  const onlyThese = new Proxy(host, {
    get: (known, name: keyof Host) =>
      known[name] ?? (() => Promise.reject(new Error(`nobody should use ${name}`))),
  }) as Host;
  const context = createFactContext(onlyThese, config ?? defaultConfig());
  const real = context.get;
  const get = <T>(fact: Fact<T>): Promise<T> =>
    fact.id in facts ? Promise.resolve(facts[fact.id] as T) : real(fact);
  return { context: Object.assign(context, { get }), asked };
}
