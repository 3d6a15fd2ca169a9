import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultConfig } from '../../../src/config/config.ts';
import { createFactContext } from '../../../src/engine/fact.ts';
import { replayingHost } from '../../../src/host/replaying.ts';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import { temporaryFolder } from '../../host/temporary-folder.ts';
import type { LabNode } from '../node/start-node.ts';
import { readFacts } from './read-facts.ts';

export type GatheredFacts = Awaited<ReturnType<typeof readFacts>>;

interface Gathered {
  /** As gathered on the node. */
  readonly live: GatheredFacts;
  /** As gathered again from what was recorded meanwhile. */
  readonly replayed: GatheredFacts;
}

/** What the facts say on a node, and once more away from it. Nodes share this machine's /tmp. */
export async function factsOf(node: LabNode, packets: readonly Packet[] = []): Promise<Gathered> {
  const recording = join(temporaryFolder(), 'recording');
  const printed = await node.run([process.execPath, printFacts, recording], {
    input: JSON.stringify(packets),
  });
  const context = createFactContext(await replayingHost(recording), defaultConfig());
  const replayed = await readFacts(context, packets);
  return { live: JSON.parse(printed), replayed: JSON.parse(JSON.stringify(replayed)) };
}

const printFacts = fileURLToPath(new URL('./print-facts.ts', import.meta.url));
