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
  return address === undefined || port === undefined ? undefined : { address, port: Number(port) };
}

export function printEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
