import { type Config, defaultConfig } from '../../src/config/config.ts';
import { createFactContext, type Fact, type FactContext } from '../../src/engine/fact.ts';
import { editedRecording } from './edited-recording.ts';

/** Facts as they are to be, by their id; the others are gathered from a host of which nothing is recorded. */
export async function givenFacts(
  given: Readonly<Record<string, unknown>>,
  config: Config = defaultConfig(),
): Promise<FactContext> {
  const nothing = { commands: [], files: [], directories: [], processes: [], kube: [], connects: [] };
  const host = await editedRecording('kube-proxy-legacy-then-nft', { host: nothing });
  const others = createFactContext(host, config);
  const context: FactContext = { host, config, get, ifAsked: () => undefined };
  return context;

  function get<T>(fact: Fact<T>): Promise<T>;
  function get(fact: Fact<unknown>): Promise<unknown> {
    if (fact.id in given) return Promise.resolve(given[fact.id]);
    return fact.gather(context).catch(() => others.get(fact));
  }
}
