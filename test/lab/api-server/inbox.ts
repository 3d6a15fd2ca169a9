import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterState } from './cluster-state.ts';
import { type Fault, type FaultScope, faults } from './fault.ts';
import { isRecord, objectsOf } from './resource.ts';
import type { ApiServer } from './server.ts';

/**
 * Changes a cluster from outside of its process: each `NAME.json` that appears in a folder is done, in the
 * order of names, and removed then. `{"put": OBJECT or LIST}`, `{"remove": PATH}`,
 * `{"fault": NAME or null, "scope": {"verbs": [...], "path": PART, "times": N}}`.
 */
export function watchInbox(
  folder: string,
  { state, server }: { readonly state: ClusterState; readonly server: ApiServer },
): () => void {
  mkdirSync(folder, { recursive: true });
  const timer = setInterval(() => {
    for (const name of readdirSync(folder)
      .filter((each) => each.endsWith('.json'))
      .sort()) {
      const order = parse(readFileSync(join(folder, name), 'utf8'));
      // Half written: next time.
      if (order === undefined) return;
      if (order['put'] !== undefined) for (const object of objectsOf(order['put'])) state.put(object);
      if (typeof order['remove'] === 'string') state.remove(order['remove']);
      if (order['fault'] !== undefined) server.setFault(faultOf(order['fault']), scopeOf(order['scope']));
      rmSync(join(folder, name));
    }
  }, 50);
  return () => clearInterval(timer);
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const order: unknown = JSON.parse(text);
    return isRecord(order) ? order : undefined;
  } catch {
    return undefined;
  }
}

function faultOf(name: unknown): Fault | undefined {
  const fault = faults.find((each) => each === name);
  if (fault === undefined && name !== null) throw new Error(`no such fault: ${String(name)}`);
  return fault;
}

function scopeOf(scope: unknown): FaultScope {
  return isRecord(scope) ? scope : {};
}
