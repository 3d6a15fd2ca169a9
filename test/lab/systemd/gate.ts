import type { Debian } from './boot-debian.ts';

/**
 * Shell lines that stop whoever comes by, for good, and say so. A fifo, because one can be written to
 * where nothing else can: from a sandbox. Once somebody was stopped, others may pass.
 */
export const waitAtGate = '[ ! -p /run/lab/gate ] || { echo here >/run/lab/gate; exec sleep infinity; }';

export async function closeGate(debian: Debian): Promise<void> {
  await debian.run(['sh', '-ec', 'mkdir -p /run/lab; mkfifo /run/lab/gate']);
}

/** Returns when somebody stands there. */
export async function arrivalAtGate(debian: Debian): Promise<void> {
  await debian.run(['sh', '-ec', 'read line </run/lab/gate; rm /run/lab/gate']);
}
