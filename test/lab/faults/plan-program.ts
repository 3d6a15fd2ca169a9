/**
 * Carries out the plan of cluster-objects.ts on the node it runs on, as `doctor fix` does it once it has one,
 * and prints the report: `node plan-program.ts PID_FILE`.
 */
import { writeFileSync } from 'node:fs';
import { createLogger } from '../../../src/cli/logger.ts';
import { openSite } from '../../../src/cli/open-site.ts';
import { stopOnSignals } from '../../../src/cli/stop-on-signals.ts';
import { takeLock } from '../../../src/engine/lock.ts';
import { carryOut } from '../../../src/engine/run.ts';
import { newRunId } from '../../../src/engine/run-id.ts';
import { buildReport } from '../../../src/report/build-report.ts';
import { plan } from './cluster-objects.ts';

writeFileSync(process.argv[2] ?? '', `${process.pid}`);
const signal = stopOnSignals(createLogger('silent'));
const site = await openSite({ format: 'json', failOn: 'error', color: false, logLevel: 'silent' });
const now = site.host.now();
const runId = newRunId({ now, pid: process.pid });
const lock = await takeLock({ ...site, verb: 'fix', runId });
const why = [{ key: 'coredns', message: 'made up', digest: 'none' }];
const fix = await carryOut({ runId, verb: 'fix', by: 'test', why, steps: plan, signal }, site);
await lock.release();
const at = now.toISOString();
const run = { id: runId, verb: 'fix', startedAt: at, finishedAt: at } as const;
const report = buildReport({ version: '0', run, examinations: [], steps: plan, fix, failOn: 'error' });
console.log(JSON.stringify(report));
process.exitCode = report.exitCode;
