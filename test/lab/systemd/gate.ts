import type { Debian } from './boot-debian.ts';

/**
 * A shell line that holds the first who comes by until the gate is opened; others may pass meanwhile.
 * Fifos, because they can be written to where nothing else can: from a sandbox.
 */
export const waitAtGate =
  '[ ! -p /run/lab/gate ] || { echo here >/run/lab/gate; read go </run/lab/opening; }';

export async function closeGate(debian: Debian): Promise<void> {
  await debian.run(['sh', '-ec', 'mkdir -p /run/lab; mkfifo /run/lab/gate /run/lab/opening']);
}

/** Returns when somebody stands there. */
export async function arrivalAtGate(debian: Debian): Promise<void> {
  await debian.run(['sh', '-ec', 'read here </run/lab/gate; rm /run/lab/gate']);
}

export async function openGate(debian: Debian): Promise<void> {
  await debian.run(['sh', '-ec', 'echo go >/run/lab/opening']);
}
