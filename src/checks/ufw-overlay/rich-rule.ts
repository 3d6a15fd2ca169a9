import type { NeededFlow } from '../../facts/flow.ts';

/** As firewall-cmd takes and prints it. Negative priorities come before what a zone denies. */
export function richRule({ family, source, flow }: NeededFlow, priority = 0): string {
  const { protocol, ports } = flow;
  const element =
    ports === undefined
      ? `protocol value="${protocol}"`
      : `port port="${[...new Set(ports)].join('-')}" protocol="${protocol}"`;
  const order = priority === 0 ? '' : `priority="${priority}" `;
  return `rule ${order}family="${family}" source address="${source}" ${element} accept`;
}
