import type { Evidence } from '../../engine/finding.ts';
import { oneLine } from '../../engine/one-line.ts';
import { type ServerAnswer, serverKey } from '../../facts/dns/server-answer.ts';

/** What to do when this host resolves nothing; told once, however many findings it is for. */
export const correctResolvConf =
  'correct /etc/resolv.conf, or what writes it (netplan, systemd-resolved, DHCP): see "doctor explain host-dns"';

export function keyOf(server: string): string {
  return serverKey({ server, port: 53 });
}

/** Only of what was really asked. */
export function describe({ server, byProtocol }: ServerAnswer): readonly Evidence[] {
  return (['udp', 'tcp', 'tls'] as const).flatMap((protocol) => {
    const tried = byProtocol[protocol];
    if (tried === undefined || tried.verdict === 'not-asked') return [];
    return [
      {
        source: `${oneLine(server)} over ${protocol.toUpperCase()}`,
        observed: tried.detail,
        expected: 'an answer',
      },
    ];
  });
}
