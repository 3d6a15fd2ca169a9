import type { LabNode } from '../node/start-node.ts';
import type { Overlay } from '../overlay/start-overlay.ts';

export interface PodTraffic {
  readonly tcp: boolean;
  readonly udp: boolean;
  readonly ping: boolean;
}

/** What pods of the two nodes get of each other, both ways: a kind counts only if it passes every time. */
export async function podTraffic({ first, second }: Overlay<LabNode>, timeoutMs = 300): Promise<PodTraffic> {
  const ways = [first, second].flatMap((from) =>
    (from === first ? second : first).pod.addresses.map((address) => ({ from: from.pod, address })),
  );
  const results = await Promise.all(
    ways.map(async ({ from, address }) => {
      const ping = ['ping', '-c', '1', '-W', `${timeoutMs / 1000}`, address];
      const [tcp, udp, echo] = await Promise.all([
        from.http(address, 8080, { timeoutMs }),
        from.udp(address, 5353, { timeoutMs }),
        from.exec(ping),
      ]);
      return { tcp: tcp.ok, udp: udp.ok, ping: echo.exitCode === 0 };
    }),
  );
  return {
    tcp: results.every(({ tcp }) => tcp),
    udp: results.every(({ udp }) => udp),
    ping: results.every(({ ping }) => ping),
  };
}

export const allPasses: PodTraffic = { tcp: true, udp: true, ping: true };
