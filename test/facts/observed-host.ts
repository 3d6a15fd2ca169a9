import type { Config } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { createFactContext, type Fact } from '../../src/engine/fact.ts';
import type { Host } from '../../src/host/host.ts';
import { type Edits, editedRecording } from './edited-recording.ts';

export interface Gathered<T> {
  readonly value: T;
  /** What the host was asked, in order: a command line, `GET path`, `connect address port`. */
  readonly asked: readonly string[];
}

/** A fact of a recorded host, and what gathering it asked of the host. */
export async function gather<T>(
  fact: Fact<T>,
  fixture: string,
  { edits = {}, config = defaultConfig() }: { readonly edits?: Edits; readonly config?: Config } = {},
): Promise<Gathered<T>> {
  const asked: string[] = [];
  const host = observed(await editedRecording(fixture, edits), (question) => asked.push(question));
  const context = createFactContext(host, config);
  const value = await context.get(fact);
  await context.get(fact);
  return { value, asked };
}

export function observed(host: Host, note: (question: string) => void): Host {
  return {
    ...host,
    run(command) {
      note([command.tool, ...command.args].join(' '));
      return host.run(command);
    },
    runLines(command, onLine) {
      note([command.tool, ...command.args].join(' '));
      return host.runLines(command, onLine);
    },
    kubeGet(path) {
      note(`GET ${path}`);
      return host.kubeGet(path);
    },
    connectTcp(address, port, timeoutMs) {
      note(`connect ${address} ${port}`);
      return host.connectTcp(address, port, timeoutMs);
    },
  };
}
