import { isDeepStrictEqual } from 'node:util';
import { traceSchema } from '../../../src/report/trace-schema.ts';
import type { LabNode } from '../node/start-node.ts';

/** `options` as they are typed. What is printed is checked against the published schema. */
export async function runTrace(node: LabNode, options: string) {
  const { exitCode, stdout, stderr } = await node.doctor([
    'trace',
    ...options.split(' '),
    '--format',
    'json',
  ]);
  if (stdout === '') throw new Error(`doctor trace ${options}: exit code ${exitCode}, ${stderr}`);
  const printed: unknown = JSON.parse(stdout);
  const trace = traceSchema().parse(printed);
  if (!isDeepStrictEqual(trace, printed)) throw new Error('there is more in it than the schema knows');
  if (trace.exitCode !== exitCode) throw new Error(`it ended with ${exitCode} and says ${trace.exitCode}`);
  if (stderr !== '') throw new Error(`doctor trace ${options}: ${stderr}`);
  return trace;
}
