import { Socket } from 'node:net';
import type { ConnectResult } from './host.ts';
import { systemErrorCode } from './system-error.ts';

export interface ConnectTarget {
  /** An IP address: nothing is resolved. */
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * Opens a TCP connection and closes it at once. `localPort` finds the attempt in the connection
 * table. `not-tried` means that nothing left this machine.
 */
export function connectTcp({ address, port, timeoutMs }: ConnectTarget): Promise<ConnectResult> {
  const { promise, resolve } = Promise.withResolvers<ConnectResult>();
  const socket = new Socket();
  let localPort: number | undefined;
  const settle = (kind: 'connected' | 'refused' | 'no-answer') => {
    clearTimeout(timer);
    localPort ??= socket.localPort;
    socket.destroy();
    resolve({ kind, localPort });
  };
  const timer = setTimeout(() => settle('no-answer'), timeoutMs);
  socket.once('connect', () => settle('connected'));
  socket.on('error', (error) => {
    clearTimeout(timer);
    const kind = kindOf(systemErrorCode(error), localPort);
    resolve(kind === undefined ? { kind: 'not-tried', reason: error.message } : { kind, localPort });
  });
  socket.connect({ host: address, port });
  // The kernel chooses the port when the SYN is sent, which Node does in the next tick; by the time
  // a refusal is reported the socket is gone. Node remembers the first answer, so not before.
  process.nextTick(() => {
    localPort = socket.localPort;
  });
  return promise;
}

function kindOf(
  code: string | undefined,
  localPort: number | undefined,
): 'refused' | 'no-answer' | undefined {
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'refused';
  // Unreachable with no local port: this machine has no route. With one: a router said so.
  const unanswered = code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT';
  return unanswered && localPort !== undefined ? 'no-answer' : undefined;
}
