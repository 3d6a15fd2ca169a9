import type { Config } from '../config/config.ts';
import type { Host } from '../host/host.ts';

/**
 * Something about the node that checks need to know: typed, gathered at most once a run, through the
 * host alone. A fact that cannot be gathered throws a DoctorError; the checks that name it become
 * `unknown`.
 */
export interface Fact<T> {
  readonly id: string;
  gather(context: FactContext): Promise<T>;
}

export interface FactContext {
  readonly host: Host;
  readonly config: Config;
  /** Another fact; gathered now if nobody asked for it before. */
  get<T>(fact: Fact<T>): Promise<T>;
  /** Another fact if anybody has asked for it before, else undefined: to save doing the same work twice. */
  ifAsked<T>(fact: Fact<T>): Promise<T> | undefined;
}

/** Gathers each fact once, however many ask for it. */
export function createFactContext(host: Host, config: Config): FactContext {
  const gathered = new Map<string, Promise<unknown>>();
  const context: FactContext = { host, config, get, ifAsked };
  return context;

  function get<T>(fact: Fact<T>): Promise<T>;
  function get(fact: Fact<unknown>): Promise<unknown> {
    const known = gathered.get(fact.id);
    if (known) return known;
    const value = fact.gather(context);
    gathered.set(fact.id, value);
    return value;
  }

  function ifAsked<T>(fact: Fact<T>): Promise<T> | undefined;
  function ifAsked({ id }: Fact<unknown>): Promise<unknown> | undefined {
    return gathered.get(id);
  }
}
