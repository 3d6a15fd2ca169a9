/** A process with a schedule, a run every second. A run lasts until standard input is closed. */
import { once } from 'node:events';
import { pino } from 'pino';
import { scheduleRuns } from '../../../src/cli/daemon/schedule-runs.ts';
import { stopOnSignals } from '../../../src/cli/stop-on-signals.ts';

const log = pino();
await scheduleRuns({
  runs: [{ cron: '* * * * * *', verb: 'fix', checks: ['iptables-ghosts'] }],
  jitterSeconds: 0,
  log,
  signal: stopOnSignals(log),
  runScheduled: async () => {
    log.info('at work');
    process.stdin.resume();
    await once(process.stdin, 'end');
    return { exitCode: 0, summary: 'finished' };
  },
});
log.info('over');
