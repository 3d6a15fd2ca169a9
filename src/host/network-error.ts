import { describeSystemError, systemErrorCode } from './system-error.ts';

export interface NetworkTrouble {
  /** `blocked`: somebody said no, if only this machine itself. `not-tried`: there was nobody to ask for it. */
  readonly kind: 'blocked' | 'not-tried';
  readonly reason: string;
}

/** Why there is no way to another machine, in words. What did not come from the operating system is a bug and rethrown. */
export function describeNetworkTrouble(error: unknown): NetworkTrouble {
  const code = systemErrorCode(error);
  const reason = code === undefined ? undefined : meanings[code];
  if (reason !== undefined) return { kind: 'blocked', reason: `${reason} (${code})` };
  return { kind: 'not-tried', reason: describeSystemError(error) };
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused: nobody listens there, or a firewall rejects it',
  ECONNRESET: 'the connection was reset',
  ECONNABORTED: 'the connection was given up',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'a router, a firewall or this machine says that there is no way to it',
  ENETUNREACH: 'no route: this machine, or a router, knows no way to its network',
  ENETDOWN: 'no route: the network is down',
  EHOSTDOWN: 'nobody has this address in the local network',
  ENOPROTOOPT: 'it, or a router, says that it does not speak this protocol',
  EINVAL: "this machine's routes throw away what goes there",
  EPERM: "this machine's own firewall does not let it out",
  EACCES: "this machine's own firewall or routes forbid it",
};
