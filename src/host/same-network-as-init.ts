import { readlinkSync } from 'node:fs';
import { systemErrorCode } from './system-error.ts';

/**
 * Whether process 1 is in this process's network namespace: a unit that it starts then acts on the
 * same firewall. Undefined when it may not be looked at, which takes CAP_SYS_PTRACE.
 */
export function sameNetworkAsInit(procPath = '/proc'): boolean | undefined {
  try {
    return readlinkSync(`${procPath}/1/ns/net`) === readlinkSync(`${procPath}/self/ns/net`);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
