import type { Logger } from 'pino';

/**
 * A signal that comes with the first SIGTERM, SIGINT or SIGHUP, which is a connection that was lost: whoever
 * asked for the change may just have locked himself out by it. Further ones are only logged: a run that is
 * putting a node back in order is not to be ended in the middle by an impatient hand.
 */
export function stopOnSignals(log: Logger): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      const isFirst = !controller.signal.aborted;
      log.info({ signal: name }, isFirst ? 'stopping' : 'still stopping: the step at work is finished first');
      controller.abort();
    });
  }
  return controller.signal;
}
