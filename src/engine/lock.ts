import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Host } from '../host/host.ts';

export interface Lock {
  release(): Promise<void>;
}

export interface LockRequest {
  readonly host: Host;
  readonly config: Config;
  readonly verb: string;
  readonly runId: string;
  /** How long to wait for a run that is at work; default not at all. */
  readonly waitMs?: number;
}

/**
 * One run at a time on a node. Throws DoctorError `locked`, naming the holder, when another run is at
 * work, and `fix-failed` when the lock cannot be taken at all.
 */
export async function takeLock(request: LockRequest): Promise<Lock> {
  const { host, config, verb, runId, waitMs = 0 } = request;
  const path = `${config.paths.run}/lock`;
  const holder = `pid ${process.pid}, ${verb}, since ${host.now().toISOString()}, run ${runId}`;
  for (let waited = 0; ; waited += pollMs) {
    const lock = await host.lock(path, holder);
    if (lock.kind === 'held') return lock;
    if (lock.kind === 'failed') {
      throw new DoctorError('fix-failed', `cannot take the lock ${path}: ${lock.reason}`, {
        hint: 'nothing was changed',
      });
    }
    if (waited >= waitMs) {
      throw new DoctorError('locked', `another run is at work (${lock.holder || 'unknown'})`, {
        hint: 'wait for it to end',
      });
    }
    await sleep(pollMs);
  }
}

const pollMs = 250;
