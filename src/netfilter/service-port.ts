/** `namespace/name:port` in a comment of kube-proxy, wherever the sentence around it puts it. */
export function servicePortIn(comment: string): string | undefined {
  return /(?:^| )([a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*(?::[a-z0-9.-]+)?)(?: |$)/.exec(comment)?.[1];
}

/** `... -> 10.42.0.5:8080`: the endpoint that a rule of a Service chain leads to. */
export function endpointIn(comment: string): string | undefined {
  return / -> (\S+)$/.exec(comment)?.[1];
}

/** `10.42.0.5:8080` or `[fd00::5]:8080`. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export function parseEndpoint(text: string): Endpoint | undefined {
  const [, v6, v4, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d+)$/.exec(text) ?? [];
  const address = v6 ?? v4;
  return address === undefined || port === undefined
    ? undefined
    : { address: detach(address), port: Number(port) };
}

/**
 * The same text on its own. V8 keeps a whole line in memory for as long as a longer piece of it is
 * remembered, which is most of a dump when one piece of each line is.
 */
export function detach(text: string): string {
  return ` ${text}`.slice(1);
}

export function printEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
