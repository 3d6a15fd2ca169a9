import { fileURLToPath } from 'node:url';
import { startNode } from '../node/start-node.ts';
import { type EraOptions, type EraReport, eraReport } from './era-report.ts';
import { namespaceNames, networkScript } from './network-script.ts';

/** Tries scenarios in a new namespace of their own. @throws Error when the laboratory fails. */
export async function runEra(options: EraOptions): Promise<EraReport> {
  await using node = await startNode();
  await node.run(['sh', '-ec', networkScript(namespaceNames)]);
  const enter = ['ip', 'netns', 'exec', namespaceNames.node, process.execPath, program];
  const output = await node.run([...enter, JSON.stringify(options)], { timeoutMs: 550_000 });
  return eraReport.parse(JSON.parse(output));
}

const program = fileURLToPath(new URL('./run-era.ts', import.meta.url));
